"""Pages on GitHub, such as the README, whose formulas and outputs are made by the code in them.

A page holds Python sessions (lines after `>>>`, run in order, with their output below them) and comments,
each followed by what its expression gives:

    <!-- math: d.latex() -->       a fenced block of mathematics
    <!-- picture: d.picture() -->  an image with a description, whose file is written, too

`python -m tests.support.pages PAGE ...` writes them anew; a test compares.
"""

import contextlib
import doctest
import io
import re
import sys
from pathlib import Path

_PARTS = re.compile(
    r"(?P<session>```pycon\n.*?```)|<!-- math: (?P<expression>.*?) -->\n+```\w+\n.*?```"
    r"|<!-- picture: (?P<picture>.*?) -->\n+!\[[^]]*\]\((?P<file>[^)]*)\)",
    re.DOTALL,
)


ROOT = Path(__file__).parents[2]
WRITES = False
"""Whether files of pictures are written, or only read."""


def made_anew(text: str) -> str:
    """The page with every output and formula in it computed again."""
    names: dict[str, object] = {}

    def remake(match: re.Match[str]) -> str:
        if match["session"]:
            return _session(match["session"], names)
        if match["picture"]:
            return _picture(match["picture"], match["file"], names)
        made = eval(match["expression"], names).replace("{align*}", "{aligned}")
        return f"<!-- math: {match['expression']} -->\n\n```math\n{made}\n```"

    return _PARTS.sub(remake, text)


def _picture(expression: str, file: str, names: dict[str, object]) -> str:
    """The image anew; its file must hold the picture that the expression gives now."""
    made = eval(expression, names)
    if WRITES:
        (ROOT / file).write_text(made.svg(), encoding="utf-8")
    same = (ROOT / file).read_text(encoding="utf-8") == made.svg()
    return f"<!-- picture: {expression} -->\n\n![{made.alt if same else 'another picture'}]({file})"


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
    WRITES = True
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(made_anew(page.read_text(encoding="utf-8")), encoding="utf-8")
