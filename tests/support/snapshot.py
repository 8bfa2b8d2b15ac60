"""What symrnn writes for the bank of models, as files: `python -m tests.support.snapshot FOLDER [NAME ...]`.

A change that moves, splits or renames code writes the same files before and after: `diff -r` of two folders says so.
Where symrnn refuses, the file holds the refusal.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import symrnn
from symrnn.programs.adjoint import backprop
from symrnn.programs.program import Program
from symrnn.typesetting.equations import Display, render
from symrnn.typesetting.styles import LATEX
from tests.support.bank import BANK, MODELS, SAMPLE, Case, defined

ZOOMS = ("step", "unrolled", "scalar", "closed")
ENDINGS = (".tex", ".html", ".md", ".ipynb", ".rst")
COMMANDS = ("--help", "derive --help", "check --help", "document --help", "derive", "derive --gradient --zoom step")


def said(make: Callable[[], str]) -> str:
    """What is made, or the refusal."""
    try:
        return make()
    except (ValueError, NotImplementedError) as error:
        return f"{type(error).__name__}: {error}"


def derived(model: Any) -> Iterator[tuple[str, str]]:
    """LaTeX, text, tables, sources and pictures of a model, by the ends of their files' names."""
    d = symrnn.derive(model)
    g = d.gradient()
    yield "table.txt", "\n".join(f"{w.symbol} {w.name.latex} {w.keras} {w.shape}" for w in d.table)
    for what, made in (("forward", d), ("gradient", g)):
        for zoom in ZOOMS:
            yield f"{what} {zoom}.tex", said(lambda made=made, zoom=zoom: made.latex(zoom))
            yield f"{what} {zoom}.txt", said(lambda made=made, zoom=zoom: made.text(zoom))
        for zoom in ("step", "unrolled"):
            yield f"{what} {zoom} batch.tex", said(lambda made=made, zoom=zoom: made.latex(zoom, samples="N"))
        function = made.lambdify()
        yield f"{what}.py", function.source
        yield f"{what} row.py", function.row_source or "none"
    for loss in ("mse", "categorical_crossentropy"):
        yield f"gradient {loss}.tex", said(lambda loss=loss: d.gradient(loss).latex("step"))
        yield f"gradient {loss}.py", said(lambda loss=loss: d.gradient(loss).lambdify().source)
    for options in ({}, {"rolled": True}, {"backward": True}):
        name = " ".join(["picture", *options])
        yield f"{name}.svg", said(lambda options=options: d.picture(**options).svg())
        yield f"{name}.tikz", said(lambda options=options: d.picture(**options).tikz())


def differentiated(case: Case) -> Iterator[tuple[str, str]]:
    """The programs of derivatives by the inputs and by all symbols, and their names."""
    for what, wrt in (("inputs", case.inputs), ("symbols", defined(case.program))):
        program = backprop(case.program, wrt)
        yield f"by {what}.tex", said(partial(render, Display(program), LATEX))
        yield f"by {what}.txt", "\n".join(names_of(program))


def names_of(program: Program) -> Iterator[str]:
    """The names of a program's symbols, by their kinds."""
    for item in program.equations:
        body = getattr(item, "body", None)
        yield str(getattr(item, "lhs", ""))
        if body is not None:
            yield f"  {body.inputs} {[step.lhs for step in body.assignments]} {body.outputs}"
            yield f"  {item.sequences} {item.carries} {item.stacked} {[total.lhs for total in item.sums]}"
    yield str(program.outputs)


def plain(name: str) -> str:
    """A name that a file can have."""
    return re.sub(r"[^\w ]", "", name)


def write_derivation(folder: Path, name: str) -> int:
    """The files of one model of the bank."""
    files = dict(derived(MODELS[name].model)) if name in MODELS else {}
    files |= differentiated(BANK[name])
    for end, text in files.items():
        (folder / f"{plain(name)} - {end}").write_text(text, encoding="utf-8")
    return len(files)


def write_documents(folder: Path, name: str) -> int:
    """The documents of one model, in every format that is text."""
    place = folder / f"documents {plain(name)}"
    place.mkdir()
    d = symrnn.derive(MODELS[name].model)
    refused = said(lambda: d.document(check=False).title)
    if refused.startswith(("ValueError", "NotImplementedError")):
        (place / "refused.txt").write_text(refused, encoding="utf-8")
        return 1
    for loss in (None, "mse"):
        made = said(lambda loss=loss: _save(d.document(check=False, loss=loss), place, loss or "sum"))
        if made:
            (place / f"{loss}.txt").write_text(made, encoding="utf-8")
    return len(list(place.iterdir()))


def _save(document: Any, place: Path, stem: str) -> str:
    for ending in ENDINGS:
        document.save(place / f"{stem}{ending}")
    bundle = document._repr_mimebundle_()
    (place / f"{stem} bundle.txt").write_text("\n".join(f"{k}\n{v}" for k, v in bundle.items()), encoding="utf-8")
    return ""


def write_commands(folder: Path) -> int:
    """What the command line prints."""
    for arguments in COMMANDS:
        command = [sys.executable, "-m", "symrnn", *arguments.split()]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        (folder / f"command {plain(arguments)}.txt").write_text(run.stdout, encoding="utf-8")
    return len(COMMANDS)


def main(folder: Path, names: Collection[str]) -> None:
    """Write the files of the models of these names, of all by default, and print how many there are."""
    folder.mkdir(parents=True)
    bank, sample = ([name for name in cases if name in (names or cases)] for cases in (BANK, SAMPLE))
    with ProcessPoolExecutor(2) as pool:
        counts = [*pool.map(partial(write_derivation, folder), bank)]
        counts += pool.map(partial(write_documents, folder), sample)
    print(f"{sum(counts) + write_commands(folder)} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
