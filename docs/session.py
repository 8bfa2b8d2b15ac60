"""Pages whose outputs and numbers are what their code gives when they are built.

    ```{session}                the session with its outputs; with `:hidden:` it is not shown
    >>> y = 0.5
    ```

    ```{shown} d.display()      a display, a picture, a part of a document, or a text
    ```

    {value}`f"{y:.3f}"`         a number in a sentence

The code of a page runs in its order, with names of its own, in the folder `build` beside the pages.
An error in it ends the build.
"""

import contextlib
import doctest
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

from symrnn.documents.blocks import Verbatim
from symrnn.sphinxext.displays import rows_of
from symrnn.sphinxext.nodes import math_block, nodes_of


def transcript(code: str, names: dict[str, Any]) -> str:
    """The session run in `names`: every example with the output that it gives."""
    lines = []
    for example in doctest.DocTestParser().get_examples(code):
        first, *rest = example.source.rstrip("\n").split("\n")
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in rest)]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.source, "<page>", "single"), names)  # noqa: S102  the page's own code
        lines += printed.getvalue().rstrip("\n").split("\n") if printed.getvalue().strip() else []
    return "\n".join(lines)


def shown(value: Any) -> list[nodes.Node]:
    """The value of an expression as nodes; a text is LaTeX if it is a display, else as it is."""
    if not isinstance(value, str):
        return nodes_of(value)
    return [math_block(rows_of(value))] if value.startswith("\\begin{") else nodes_of(Verbatim(value))


class _Page:
    """What a page's directives and roles share."""

    env: BuildEnvironment

    @property
    def names(self) -> dict[str, Any]:
        return self.env.temp_data.setdefault("session", {})

    def run_here(self, run: Callable[[], Any], place: str) -> Any:
        folder = Path(self.env.srcdir, "build")
        folder.mkdir(exist_ok=True)
        try:
            with contextlib.chdir(folder):
                return run()
        except Exception as error:
            raise ExtensionError(f"{place}: {type(error).__name__}: {error}") from error

    def value_of(self, text: str, place: str) -> Any:
        return self.run_here(lambda: eval(text, self.names), place)  # noqa: S307  the page's own code


class Session(_Page, SphinxDirective):
    """A session with its outputs."""

    has_content = True
    option_spec: ClassVar[Any] = {"hidden": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The session as a block of code."""
        code = "\n".join(self.content)
        text = self.run_here(lambda: transcript(code, self.names), self.get_location())
        return [] if "hidden" in self.options else [nodes.literal_block(text, text, language="pycon")]


class Shown(_Page, SphinxDirective):
    """What an expression gives."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """The value as nodes."""
        return shown(self.value_of(self.arguments[0], self.get_location()))


class Value(_Page, SphinxRole):
    """A number or a word that an expression gives."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The value as text."""
        return [nodes.Text(str(self.value_of(self.text, self.get_location())))], []


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directives and the role."""
    app.add_directive("session", Session)
    app.add_directive("shown", Shown)
    app.add_role("value", Value())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
