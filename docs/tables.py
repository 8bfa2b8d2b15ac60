"""What the pages list: the names in tables, and the help of the commands."""

from collections.abc import Iterable

from click.testing import CliRunner

from symrnn.cli import cli
from symrnn.documents.blocks import Paragraph
from symrnn.documents.inline import Code, series


def help_of(command: str) -> str:
    """What `symrnn COMMAND --help` prints."""
    return CliRunner().invoke(cli, [command, "--help"], prog_name="symrnn").output.rstrip("\n")


def names_of(table: Iterable[str], *more: str) -> Paragraph:
    """Names in the form of code, sorted."""
    return Paragraph(series([(Code(name),) for name in sorted([*table, *more])], ", "))
