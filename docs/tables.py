"""What the pages list: the names in tables, and the help of the commands."""

import inspect
from collections.abc import Callable, Iterable, Mapping

from click.testing import CliRunner

from symrnn.cli import commands
from symrnn.documents.blocks import Paragraph, Table
from symrnn.documents.inline import Code, prose, series
from symrnn.documents.sections.table import SECTIONS
from symrnn.documents.writers.table import WRITERS


def help_of(command: str) -> str:
    """What `symrnn COMMAND --help` prints."""
    return CliRunner().invoke(commands, [command, "--help"], prog_name="symrnn").output.rstrip("\n")


def names_of(table: Iterable[str], *more: str) -> Paragraph:
    """Names in the form of code, sorted."""
    return Paragraph(series([(Code(name),) for name in sorted([*table, *more])], ", "))


def sections_table() -> Table:
    """What each section of a document has."""
    return _table(("section", "what it has"), {name: blocks for name, (_, blocks) in SECTIONS.items()})


def formats_table() -> Table:
    """What is written, by the ending of the file."""
    return _table(("ending", "what it is"), WRITERS)


def _table(head: tuple[str, str], functions: Mapping[str, Callable]) -> Table:
    """Names, and what the functions by these names say of themselves."""
    said = {name: inspect.getdoc(function).partition("\n")[0].rstrip(".") for name, function in functions.items()}
    return Table(head, tuple((prose(Code(name)), text) for name, text in said.items()))
