"""Pages whose formulas, numbers and outputs are made by the code in them.

A page holds Python sessions (lines after `>>>`, run in order, with their output below them) and three
kinds of comments, each followed by what its expression gives:

    <!-- math: d.latex() -->   a fenced block of mathematics
    <!-- text: d.text() -->    a fenced block of text
    <!-- here: expr -->        a block of Markdown, up to <!-- end -->
    0.5746<!-- = f"{y:.4f}" -->   a number in a sentence

`python -m tests.pages PAGE ...` writes them anew; a test compares.
"""

import contextlib
import doctest
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from symrnn import documents
from symrnn.cli import cli
from symrnn.documents import math_block
from symrnn.functions import activations
from symrnn.losses import ALIASES, LOSSES

_PARTS = re.compile(
    r"(?P<session>```pycon\n.*?```)"
    r"|<!-- (?P<kind>math|text): (?P<expression>.*?) -->\n+```\w+\n.*?```"
    r"|<!-- here: (?P<markdown>.*?) -->\n.*?<!-- end -->"
    r"|(?P<number>[-\d.e]+)<!-- = (?P<value>.*?) -->",
    re.DOTALL,
)


def made_anew(text: str) -> str:
    """The page with every output, formula and number in it computed again."""
    names: dict[str, object] = {"help_of": help_of, "names_of": names_of}
    names |= {
        "activations": activations,
        "LOSSES": LOSSES,
        "ALIASES": ALIASES,
        "documents": documents,
        "replace": replace,
    }

    def remake(match: re.Match[str]) -> str:
        if match["session"]:
            return _session(match["session"], names)
        if match["kind"]:
            made = eval(match["expression"], names)
            body = math_block(made) if match["kind"] == "math" else f"```text\n{made}\n```"
            return f"<!-- {match['kind']}: {match['expression']} -->\n\n{body}"
        if match["markdown"]:
            return f"<!-- here: {match['markdown']} -->\n\n{eval(match['markdown'], names)}\n\n<!-- end -->"
        return f"{eval(match['value'], names)}<!-- = {match['value']} -->"

    return _PARTS.sub(remake, text)


def help_of(command: str) -> str:
    """What `symrnn COMMAND --help` prints."""
    return CliRunner().invoke(cli, [command, "--help"], prog_name="symrnn").output.rstrip("\n")


def names_of(table: Iterable[str], *more: str) -> str:
    """Names in the form of code, sorted."""
    return ", ".join(f"`{name}`" for name in sorted([*table, *more]))


def _session(block: str, names: dict[str, object]) -> str:
    """A session run again: every example with the output that it gives now."""
    lines = []
    for example in doctest.DocTestParser().get_examples(block.removeprefix("```pycon\n").removesuffix("```")):
        first, *rest = example.source.rstrip("\n").split("\n")
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in rest)]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.source, "<page>", "single"), names)
        lines += printed.getvalue().rstrip("\n").split("\n") if printed.getvalue().strip() else []
    body = "\n".join(lines)
    return f"```pycon\n{body}\n```"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(made_anew(page.read_text(encoding="utf-8")), encoding="utf-8")
