"""A derivation as a document: a list of sections, written as text, Markdown or LaTeX."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symrnn import custom
from symrnn.derivation import Derivation
from symrnn.functions import activation_name
from symrnn.layers import Cells, Layer
from symrnn.network import Source, Weight
from symrnn.notation import Letter
from symrnn.printing import Display, render
from symrnn.styles import LATEX, TEXT, Style

Cell = str | Letter


@dataclass(frozen=True)
class Table:
    """A section that is a table; the columns in `right` are set to the right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Equations:
    """A section of displayed equations."""

    title: str
    display: Display


@dataclass(frozen=True)
class Paragraph:
    """A section of plain text, printed as it is."""

    title: str
    text: str


Section = Table | Equations | Paragraph


# sections ---------------------------------------------------------------------------------------


def model_table(derivation: Derivation, weights: Sequence[np.ndarray] | None = None) -> Table:
    """Layer, symbol, Keras weight, shape, number of parameters; and the value of 1 x 1 weights."""
    parts = [_part(weight, weights[weight.array]) for weight in derivation.table] if weights else []
    values = [str(part.reshape(())[()]).removesuffix(".0") if part.size == 1 else "" for part in parts]
    rows: list[tuple[Cell, ...]] = []
    for i, weight in enumerate(derivation.table):
        layer = derivation.network.graph.layers[weight.layer]
        new = i == 0 or derivation.table[i - 1].layer != weight.layer
        cells = (
            layer_name(layer) if new else "",
            weight.letter,
            _keras_name(derivation, weight),
            str(weight.shape),
            str(_count(weight)),
        )
        rows.append((*cells, *([values[i]] if any(values) else [])))
    total, sources = sum(map(_count, derivation.table)), derivation.network.sources
    head = ("layer", "symbol", "Keras weight", "shape", "count", *(["value"] if any(values) else []))
    inputs = " ".join(f"Input {source.symbol.name.removesuffix('_t')}: {_input(source)}." for source in sources)
    inputs = inputs if len(sources) > 1 else f"Input: {_input(sources[0])}."
    note = f"Parameters: {total}, in the order of get_weights(). {inputs}"
    return Table("Model", head, tuple(rows), (4, 5), note)


def _keras_name(derivation: Derivation, weight: Weight) -> str:
    """The Keras weight, with the slice of it that is this one's: kernel[:, 0:4]."""
    array = derivation.network.arrays[weight.array]
    if len(array.parts) == 1:
        return weight.keras
    rows = [] if len(array.shape) == 1 else [":" if weight.row is None else str(weight.row)]
    return f"{weight.keras}[{', '.join([*rows, f'{weight.start}:{weight.start + weight.shape[-1]}'])}]"


def _part(weight: Weight, array: np.ndarray) -> np.ndarray:
    """The block of a Keras weight that a symbol stands for."""
    rows = array if weight.row is None else array[weight.row]
    return rows if rows.shape == weight.shape else rows[..., weight.start : weight.start + weight.shape[-1]]


def _input(source: Source) -> str:
    """What an input holds, in words."""
    if source.steps is None:
        return f"one row, columns: {source.width}"
    steps = "any number of" if source.timesteps is None else str(source.timesteps)
    what = f"ids below {source.depth}" if source.kind == "ids" else f"features: {source.width}"
    return f"{steps} time steps, {what}"


def _count(weight: Weight) -> int:
    return int(np.prod(weight.shape))


def layer_name(layer: Layer | Cells) -> str:
    """The layer as it is called, with what is not Keras' default: SimpleRNN(4, relu).

    How it is run, such as return_sequences, and whether it has a bias, are for the equations to show.
    """
    if isinstance(layer, custom.Cell):
        return layer.name or "Cell"
    parts = []
    for one in fields(layer):
        value, default = getattr(layer, one.name), one.default
        if "activation" in one.name:
            value, default = activation_name(value), default if default is MISSING else activation_name(default)
        if not one.kw_only and one.name not in ("name", "use_bias") and value != default:
            plain = default is MISSING or one.name == "activation"
            parts.append(_shown(value) if plain else f"{one.name}={_shown(value)}")
    return f"{type(layer).__name__}({', '.join(parts)})"


def _shown(value: Any) -> str:
    """An argument: a layer or a cell by its name, several in brackets."""
    if isinstance(value, list | tuple) and all(map(is_dataclass, value)):
        return f"[{', '.join(map(layer_name, value))}]"
    return layer_name(value) if isinstance(value, Layer | Cells) else str(value)


def sections(
    derivation: Derivation,
    zoom: str,
    gradient: bool = False,
    loss: str | None = None,
    numbers: Mapping[str, float] | None = None,
    weights: Sequence[np.ndarray] | None = None,
) -> list[Section]:
    """The model, the forward equations and, with a gradient, the way back; `numbers` are put beside."""
    numbers = numbers or {}
    parts: list[Section] = [model_table(derivation, weights)]
    if not gradient:
        title = "Closed form" if zoom == "closed" else "Forward equations"
        return [*parts, Equations(title, replace(derivation.display(zoom), numbers=numbers))]
    display = derivation.gradient(loss).display(zoom)
    if zoom == "closed":
        return [*parts, Equations("Gradients in closed form", display)]
    forward = replace(display, part="forward", numbers=numbers)
    adjoint = replace(display, part="adjoint", numbers=numbers)
    return [*parts, Equations("Forward equations", forward), Equations("Backpropagation through time", adjoint)]


# formats ----------------------------------------------------------------------------------------


def _cell(cell: Cell, style: Style) -> str:
    return style.letter(cell) if isinstance(cell, Letter) else cell


def _text(parts: Sequence[Section]) -> str:
    return "\n\n".join(f"{part.title}\n\n{_indented(_text_body(part))}" for part in parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))


def _text_body(part: Section) -> str:
    if isinstance(part, Equations):
        return render(part.display, TEXT)
    if isinstance(part, Paragraph):
        return part.text
    table = [part.head, *(tuple(_cell(cell, TEXT) for cell in row) for row in part.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            c.rjust(w) if i in part.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, part.note])


def _markdown_document(parts: Sequence[Section]) -> str:
    return "\n\n".join(f"## {part.title}\n\n{markdown(part)}" for part in parts) + "\n"


def markdown(part: Section) -> str:
    """A section without its title, as GitHub renders it."""
    if isinstance(part, Equations):
        return math_block(render(part.display, LATEX))
    if isinstance(part, Paragraph):
        return f"```text\n{part.text}\n```"
    rule = ["---:" if i in part.right else "---" for i in range(len(part.head))]
    rows = [[f"$`{c.latex}`$" if isinstance(c, Letter) else c for c in row] for row in part.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [part.head, rule, *rows]) + f"\n\n{part.note}"


def math_block(latex: str) -> str:
    """A block of LaTeX as GitHub renders it: fenced, with `aligned` in the place of `align*`."""
    return f"```math\n{latex.replace('{align*}', '{aligned}')}\n```"


def _latex(parts: Sequence[Section]) -> str:
    return "\n\n".join(f"\\subsection*{{{part.title}}}\n{_latex_body(part)}" for part in parts) + "\n"


def _latex_cell(cell: Cell) -> str:
    """A symbol, or a negative number with its minus, as mathematics; any other cell as text."""
    if isinstance(cell, Letter):
        return f"${cell.latex}$"
    return f"${cell}$" if cell.startswith("-") else cell.replace("_", r"\_")


def _latex_body(part: Section) -> str:
    if isinstance(part, Equations):
        return render(part.display, LATEX)
    if isinstance(part, Paragraph):
        return f"\\begin{{verbatim}}\n{part.text}\n\\end{{verbatim}}"
    columns = "".join("r" if i in part.right else "l" for i in range(len(part.head)))
    rows = [[_latex_cell(cell) for cell in row] for row in part.rows]
    body = " \\\\\n".join(" & ".join(row) for row in rows)
    head = " & ".join(part.head)
    table = f"\\begin{{tabular}}{{{columns}}}\n\\hline\n{head} \\\\\n\\hline\n{body} \\\\\n\\hline\n\\end{{tabular}}"
    return f"\\begin{{center}}\n{table}\n\\end{{center}}\n{part.note.replace('_', chr(92) + '_')}"


FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "text": _text,
    "markdown": _markdown_document,
    "latex": _latex,
}
"""How a list of sections is written."""


def write(path: str | os.PathLike, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: the place cannot be written to; a file that was there is as it was.
    """
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected the name of a file in a folder that exists")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
