"""LaTeX as a PDF, by pdflatex: in a folder of its own, without a shell, and the same bytes each time."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from symrnn.documents.blocks import Article
from symrnn.documents.writers.files import Files, Progress
from symrnn.documents.writers.latex import article_latex

PASSES = 3
SECONDS = 120.0
"""The longest time for all passes together."""
_DEBIAN: Mapping[str, str] = {
    **dict.fromkeys(("amsmath", "hyperref", "fontenc", "longtable", "array"), "texlive-latex-base"),
    **dict.fromkeys(("mathtools", "booktabs", "microtype", "xcolor", "caption"), "texlive-latex-recommended"),
    **dict.fromkeys(("needspace", "accsupp"), "texlive-latex-extra"),
    **dict.fromkeys(("tikz", "pgf"), "texlive-pictures"),
    "lmodern": "lmodern",
}
"""The Debian package that a LaTeX package is in."""
_INSTALL = "apt-get install texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-pictures lmodern"
_COMMAND = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error")
_FIRST = r"\pdfinfoomitdate=1 \pdfsuppressptexinfo=15 \pdftrailerid{}\input{document.tex}"
"""No date, no name of a place, and no identity made of them in the file."""
_SETTINGS: Mapping[str, str] = {
    **{"openin_any": "p", "openout_any": "p", "shell_escape": "f"},  # this folder and TeX's own files only
    **{"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"},
    **{"max_print_line": "10000", "error_line": "254", "half_error_line": "238"},  # a message is one line of the log
    **{"MKTEXPK": "0", "MKTEXTFM": "0", "MKTEXMF": "0"},
}


@dataclass(frozen=True)
class Compiled:
    """A PDF and what pdflatex has said about its last pass."""

    pdf: bytes
    log: str


def files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """A PDF, by pdflatex."""
    return {"": pdf_of(article_latex(article), progress).pdf}


def pdf_of(tex: str, progress: Progress | None = None, seconds: float = SECONDS) -> Compiled:
    """A standalone LaTeX document compiled; it can neither run programs nor read or write files elsewhere.

    `progress` is called with a few words before each pass.

    Raises:
        FileNotFoundError: there is no pdflatex, or a package is missing; the message says what to install.
        ValueError: the first error of TeX, with its line.
        TimeoutError: it takes longer than `seconds`.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise FileNotFoundError(f"pdflatex: not found; a PDF needs a TeX installation, on Debian: {_INSTALL}")
    end = monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="symrnn-") as name:
        folder = Path(name)
        (folder / "document.tex").write_text(tex, encoding="utf-8")
        for number in range(1, PASSES + 1):
            if progress is not None:
                progress(f"pdflatex: pass {number}")
            log = _pass(program, folder, end - monotonic(), seconds)
            if not _RERUN.search(log):
                break
        return Compiled((folder / "document.pdf").read_bytes(), log)


_RERUN = re.compile(r"Rerun to get|Rerun LaTeX|may have changed|There were undefined references")


def _pass(program: str, folder: Path, remaining: float, seconds: float) -> str:
    """One run; its log."""
    command = [program, *_COMMAND, "-jobname=document", _FIRST]
    try:
        run = subprocess.run(  # noqa: S603 - the program by its path, the arguments fixed
            command,
            cwd=folder,
            env={**os.environ, **_SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=max(remaining, 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"pdflatex: took longer than {seconds:g} seconds") from None
    place = folder / "document.log"
    log = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
    if run.returncode != 0 or not (folder / "document.pdf").is_file():
        raise _error(log, run.returncode)
    return log


# what the log says ------------------------------------------------------------------------------


_MISSING = re.compile(r"^! LaTeX Error: File [`'](?P<file>(?P<name>[^']+)\.(?:sty|cls))' not found", re.MULTILINE)
_ERROR = re.compile(r"^! ?(?P<what>\S.*)", re.MULTILINE)
_LINE = re.compile(r"^l\.(?P<number>\d+) ?(?P<text>.*)", re.MULTILINE)


def _error(log: str, code: int) -> Exception:
    """What went wrong, as an error of one line."""
    missing = _MISSING.search(log)
    if missing:
        return FileNotFoundError(f"pdflatex: {missing['file']}: not found; {_advice(missing['name'])}")
    error = _ERROR.search(log)
    if error is None:
        return ValueError(f"pdflatex: ended with exit code {code} and no message")
    line = _LINE.search(log, error.end())
    where = "" if line is None else f"line {line['number']}: "
    near = "" if line is None else f" at {line['text'].strip()}"
    return ValueError(" ".join(f"pdflatex: {where}{error['what'].rstrip('.')}{near}".split()))


def _advice(package: str) -> str:
    debian = _DEBIAN.get(package)
    if debian is None:
        return f"install the LaTeX package {package}, with TeX Live: tlmgr install {package}"
    return f"install the LaTeX package {package}, on Debian: apt-get install {debian}"


def overfull(log: str) -> list[str]:
    """The lines of a log about boxes that are too wide or too high."""
    return list(_overfull(log))


def _overfull(log: str) -> Iterator[str]:
    for line in log.splitlines():
        if line.startswith(("Overfull \\hbox", "Overfull \\vbox")):
            yield line.rstrip()
