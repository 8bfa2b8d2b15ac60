"""A document: an article that can be saved."""

import os

from symrnn.documents.blocks import Article
from symrnn.documents.writers import table


class Document(Article):
    """A title, a line below it, what the document answers, and its sections; `document["forward"]` is one."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the document in the format of the file's ending, which `writers.table.WRITERS` has.

        Raises:
            ValueError: no path, or another ending; the message says which there are.
            ImportError: a library that the format needs is missing; the message says what to install.
            OSError: the place cannot be written to, or there is no pdflatex for a .pdf.
        """
        table.save(self, path)
