"""How wide TeX sets formulas, for the tests of what guesses it."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
_HEAD = r"\documentclass{article}\usepackage{amsmath,amssymb}\newsavebox\formula\begin{document}\scrollmode"


def widths(formulas: Sequence[str], style: str = r"\displaystyle") -> list[float]:
    """The width of each formula in points, in the 10 pt article."""
    boxes = [rf"\sbox\formula{{${style} {one}$}}\typeout{{@\the\wd\formula@}}" for one in formulas]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.tex").write_text("\n".join([_HEAD, *boxes, r"\end{document}"]), encoding="utf-8")
        command = ["pdflatex", "-halt-on-error", "-no-shell-escape", "a.tex"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-1000:]
    return [float(found) for found in re.findall(r"@([\d.]+)pt@", run.stdout)]
