"""Documents as Jupyter notebooks, which have been run and can be run again.

The first code cell builds the derivation and the document, every section is a cell that shows it,
and its output is in the file already.
"""

import base64
import importlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np

from symrnn.common.display import mimebundle
from symrnn.common.errors import import_extra
from symrnn.documents.blocks import Article
from symrnn.documents.writers.files import Files, Progress
from symrnn.documents.writers.markdown import DOLLARS, prose_markdown
from symrnn.documents.writers.model_code import code, loss_code, statements
from symrnn.models.graph import Graph, Model
from symrnn.models.layers.table import Sequential

EXAMPLE, GRADIENTS = "worked", "gradients"
"""The sections that a cell with numbers to change comes after."""
_FEW, _MANY = 200, 100_000
"""Up to so many numbers an array is written as lists; above so many, all together, not at all."""
_COLUMNS = 88
_VALUES = ("x", "y_true", "weights")
"""The arguments that have a variable of their own."""


@dataclass(frozen=True)
class Given:
    """A value by the code that gives it, such as `np.load('x.npy')`; it is written as it is."""

    code: str


@dataclass(frozen=True)
class Try:
    """A cell for the reader to change, with the value that it shows."""

    code: str
    value: Any


def files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """A Jupyter notebook that derives everything again."""
    return {"": article_notebook(article)}


def article_notebook(article: Article) -> str:
    """The notebook of a document that a derivation has made, from what it was made of.

    Raises:
        ImportError: nbformat is missing; the message says what to install.
        NotImplementedError: the model, or an argument, cannot be written as code.
        ValueError: a document without an origin; or it has more than 100 000 numbers.
    """
    if article.origin is None:
        raise ValueError("notebook: expected a document that a derivation has made, got one without an origin")
    origin = article.origin
    code = setup_code(origin.model, origin.timesteps, origin.numbers, **origin.arguments)
    shown = None if origin.results is None else tries(*origin.results(), origin.arguments.get("loss"))
    return notebook_json(article, code, shown)


def tries(prediction: Any, gradients: Any, loss: Any = None) -> dict[str, tuple[Try, ...]]:
    """What the reader can change, by the section that it follows: the prediction, and the gradients.

    The cells use the variables of `setup_code`; gradients that are None are left out.
    """
    found: dict[str, tuple[Try, ...]] = {EXAMPLE: (Try("d.lambdify()(x, weights)", prediction),)}
    if gradients is None:
        return found
    plain = "d.gradient().lambdify()(x, weights)"
    named = plain if loss is None else f"d.gradient({loss_code(loss)}).lambdify()(x, y_true, weights)"
    return {**found, GRADIENTS: (Try(named, gradients),)}


# the code cell ----------------------------------------------------------------------------------


def setup_code(
    model: Sequential | Model | Graph | str | os.PathLike[str],
    timesteps: int | None = None,
    numbers: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> str:
    """The code that builds `d`, the derivation of a model or of a file, and `document`.

    `arguments` are those of `Derivation.document`; numbers are written so that they are read back
    exactly, an array of more than 200 in packed form. One that is None is left out; the weights of a
    file are then its own. `numbers` are x, y_true or weights that have a variable without being
    arguments, as the document draws the same; more than 100 000 of them are taken from the document.

    Raises:
        NotImplementedError: the model, or an argument, cannot be written as code.
        ValueError: more than 100 000 numbers are given.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if isinstance(model, str | os.PathLike):
        built, derived = [], literal(os.fspath(model))
        given.setdefault("weights", Given("d.weights"))
    else:
        built, derived = [statements(model)], "model"
    own = {name: given[name] for name in _VALUES if name in given}
    many = [name for name, value in (numbers or {}).items() if name not in own and _count(value) > _MANY]
    variables = {name: value for name, value in {**(numbers or {}), **own}.items() if name not in many}
    _check_count(own)
    drawn = [f"{name} = document.origin.numbers[{name!r}]" for name in many]
    steps = "" if timesteps is None else f", timesteps={literal(timesteps)}"
    values = [_assigned(name, variables[name]) for name in _VALUES if name in variables]
    listed = ", ".join(f"{name}={name if name in _VALUES else literal(value)}" for name, value in given.items())
    body = [*built, f"d = symrnn.derive({derived}{steps})", *values, f"document = d.document({listed})", *drawn]
    return "\n".join([*_imports("\n".join(values)), "", *body])


def _imports(text: str) -> Iterator[str]:
    yield from (f"import {name}" for name in ("base64", "zlib") if f"{name}." in text)
    yield from ["import numpy as np"] if "np." in text else []
    yield "import symrnn"


def _assigned(name: str, value: Any) -> str:
    """An assignment; a long list has a line for each element."""
    line = f"{name} = {literal(value)}"
    if len(line) <= _COLUMNS or not isinstance(value, list | tuple):
        return line
    return "\n".join([f"{name} = [", *(f"    {literal(part)}," for part in value), "]"])


@singledispatch
def literal(value: Any) -> str:
    """Given that gives an equal value.

    Raises:
        NotImplementedError: there is none for this kind of value.
    """
    return code(value)


@literal.register(list)
@literal.register(tuple)
def _(value: Sequence[Any]) -> str:
    return f"[{', '.join(map(literal, value))}]"


@literal.register(Mapping)
def _(value: Mapping[Any, Any]) -> str:
    return f"{{{', '.join(f'{literal(name)}: {literal(part)}' for name, part in value.items())}}}"


@literal.register
def _(value: Given) -> str:
    return value.code


@literal.register
def _(value: np.generic) -> str:
    return code(value.item())


@literal.register
def _(value: np.ndarray) -> str:
    """Lists where NumPy makes the same array of them, else with its type; many numbers packed."""
    if value.dtype.kind not in "fiub":
        raise NotImplementedError(f"an array of {value.dtype} has no code; supported: numbers")
    if value.size > _FEW:
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(value).tobytes(), 9)).decode()
        read = f"np.frombuffer(zlib.decompress(base64.b64decode({packed!r})), {str(value.dtype)!r})"
        return f"{read}.reshape({code(value.shape)})"
    text = code(value.tolist())
    is_plain = value.size > 0 and value.dtype == np.asarray(value.tolist()).dtype
    return text if is_plain else f"np.array({text}, {str(value.dtype)!r}).reshape({code(value.shape)})"


def _check_count(given: Mapping[str, Any]) -> None:
    for name in _VALUES:
        numbers = _count(given.get(name))
        if numbers > _MANY:
            raise ValueError(
                f"notebook: {name}: expected at most {_MANY} numbers to write into a cell, got {numbers}; "
                "derive from the path of a file, which the notebook then reads"
            )


def _count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_count, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


# the notebook -----------------------------------------------------------------------------------


def notebook_json(article: Article, code: str, tries: Mapping[str, Sequence[Try]] | None = None) -> str:
    """The notebook as JSON, valid by nbformat, and the same each time.

    `code` is the first code cell, see `setup_code`; `tries` are cells after the section with this name.

    Raises:
        ImportError: nbformat is missing; the message says what to install.
    """
    nbformat = import_extra("nbformat", "a notebook")
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell(_opening(article), id="title"), v4.new_code_cell(code, id="setup")]
    for section in article.sections:
        cells.append(v4.new_markdown_cell(_heading("##", section.title), id=_name(section.name, "title")))
        cells.append(_cell(v4, f"document[{section.name!r}]", mimebundle(section), _name(section.name, "shown")))
        for number, one in enumerate((tries or {}).get(section.name, ()), 1):
            cells.append(_cell(v4, one.code, {"text/plain": _pretty(one.value)}, _name(section.name, f"try-{number}")))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    for number, cell in zip(count(1), (cell for cell in cells if cell.cell_type == "code"), strict=False):
        cell.execution_count = number
        for output in cell.outputs:
            output.execution_count = number
    notebook = v4.new_notebook(cells=_with_own_ids(cells), metadata=metadata)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _cell(v4: Any, source: str, bundle: Mapping[str, str], name: str) -> Any:
    """A code cell with what it has shown."""
    return v4.new_code_cell(source, id=name, outputs=[v4.new_output("execute_result", data=dict(bundle))])


def _pretty(value: Any) -> str:
    """The text that Jupyter shows of a value."""
    if find_spec("IPython") is None:
        return repr(value)
    return str(importlib.import_module("IPython.lib.pretty").pretty(value))


def _name(section: str, part: str) -> str:
    """A name of a cell, of the signs that nbformat allows."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', section)[:48]}-{part}"


def _with_own_ids(cells: list[Any]) -> list[Any]:
    """The cells, with a number after a name that is taken."""
    taken: set[str] = set()
    for cell in cells:
        names = (cell.id if not number else f"{cell.id}-{number}" for number in count())
        cell.id = next(name for name in names if name not in taken)
        taken.add(cell.id)
    return cells


def _opening(article: Article) -> str:
    parts = [
        _heading("#", article.title),
        *(prose_markdown(text, DOLLARS) for text in (article.subtitle, article.summary)),
    ]
    return "\n\n".join(filter(None, parts))


def _heading(signs: str, title: str) -> str:
    return f"{signs} {prose_markdown((' '.join(title.split()),), DOLLARS)}"
