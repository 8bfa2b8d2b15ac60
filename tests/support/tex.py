"""TeX for tests: whether it is there, and how wide it sets formulas."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips a test where there is no pdflatex, or one of these packages is missing; the reason says which."""
    missing = [name for name in packages if not _is_found(f"{name}.sty")]
    if shutil.which("pdflatex") is None:
        return pytest.mark.skip(reason="pdflatex is not installed")
    return pytest.mark.skipif(bool(missing), reason=f"LaTeX lacks {', '.join(missing)}")


def _is_found(file: str) -> bool:
    found = shutil.which("kpsewhich")
    return found is not None and subprocess.run([found, file], capture_output=True, check=False).returncode == 0


needs_latex = needs("amsmath")
needs_documents = needs("amsmath", "booktabs", "lmodern", "tikz", "hyperref")
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
