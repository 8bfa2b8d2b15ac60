"""Documents: what is in them, section by section."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from symrnn.checking.checks import check_model
from symrnn.checking.keras_models import build, load
from symrnn.checking.report import Report
from symrnn.common.errors import cut_repr
from symrnn.common.fields import check_fields, is_listing
from symrnn.derivations.derivation import Derivation
from symrnn.derivations.numbers import lambdify
from symrnn.documents.blocks import Equations, Origin, Section
from symrnn.documents.document import Document
from symrnn.documents.example import Example, example_of
from symrnn.documents.sections.model import model_table
from symrnn.documents.sections.summary import first_lines, subtitle
from symrnn.documents.sections.table import SECTIONS, section
from symrnn.documents.writers import latex, markdown, text
from symrnn.documents.writers.files import Progress
from symrnn.models.sampling import check_seed

TITLE = "Backpropagation through time"


# derivations as sections ------------------------------------------------------------------------


def derived(
    derivation: Derivation,
    zoom: str,
    gradient: bool = False,
    loss: str | None = None,
    numbers: Mapping[str, float] | None = None,
    weights: Sequence[np.ndarray] | None = None,
) -> list[Section]:
    """The model, the forward equations and, with a gradient, the way back; `numbers` are put beside."""
    numbers = numbers or {}
    parts = [Section("model", "Model", (model_table(derivation.network, weights),))]
    if not gradient:
        title = "Closed form" if zoom == "closed" else "Forward equations"
        return [*parts, Section("forward", title, (Equations(replace(derivation.display(zoom), numbers=numbers)),))]
    display = derivation.gradient(loss).display(zoom)
    if zoom == "closed":
        return [*parts, Section("gradients", "Gradients in closed form", (Equations(display),))]
    forward = Equations(replace(display, part="forward", numbers=numbers))
    adjoint = Equations(replace(display, part="adjoint", numbers=numbers))
    titles = (("forward", "Forward equations", forward), ("backward", "Backpropagation through time", adjoint))
    return [*parts, *(Section(name, title, (block,)) for name, title, block in titles)]


FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "text": text.sections_text,
    "markdown": markdown.sections_markdown,
    "latex": lambda sections: latex.sections_latex(sections, "subsection*"),
}
"""How sections are printed."""


# documents --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class DocumentOptions:
    """What a document is asked for; see `Derivation.document`."""

    x: Any = None
    y_true: Any = None
    weights: Any = None
    loss: Any = None
    check: bool | None = None
    title: str | None = None
    seed: Any = 0
    sections: Iterable[str] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "document")
        check_seed(self.seed, "document")

    @property
    def given(self) -> dict[str, Any]:
        """Those that are not left as they are, by name."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value for name, value in values.items() if value is not None and (name != "seed" or value)}


def document(
    derivation: Derivation, options: DocumentOptions = DocumentOptions(), progress: Progress | None = None
) -> Document:
    """The document of a derivation; see `Derivation.document`."""
    if progress is not None and not callable(progress):
        raise ValueError(f"progress: expected a function or None, got {cut_repr(progress)}")
    names = _chosen(options.sections, list(SECTIONS))
    if options.sections is not None:
        options = replace(options, sections=names)
    example = example_of(derivation, options.x, options.y_true, options.weights, options.loss, options.seed)
    if "check" in names and _is_checked(options.check):
        example = replace(example, reports=_Once(_reports, (example, progress)))
    elif "check" in names and options.sections is not None and options.check is not False:
        raise ImportError("check needs Keras and TensorFlow; pip install 'symrnn[keras]' installs them")
    found = tuple(part for name in names if (part := section(name, example)) is not None)
    origin = _origin(derivation, example, options)
    return Document(options.title or TITLE, subtitle(example), first_lines(example, found), found, origin)


def _origin(derivation: Derivation, example: Example, options: DocumentOptions) -> Origin:
    """What the document was made from: the model or its file, what was given, and the numbers of the example."""
    path, timesteps = derivation.file or (None, None)
    values = {"x": example.x, "y_true": example.y_true, "weights": list(example.weights)}
    numbers = {name: value for name, value in values.items() if value is not None}
    results = _Once(_results, (example.derivation, {**numbers, **options.given}))
    return Origin(path or derivation.network.graph, options.given, timesteps, numbers, results)


def _results(derivation: Derivation, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """The prediction, and the gradients by the loss that was given; None for those without its target."""
    x, weights, loss, y_true = (given.get(name) for name in ("x", "weights", "loss", "y_true"))
    if loss is not None and y_true is None:
        return lambdify(derivation)(x, weights), None
    arguments = [x, *([] if loss is None else [y_true]), weights]
    return lambdify(derivation)(x, weights), lambdify(derivation.gradient(loss))(*arguments)


@dataclass(frozen=True)
class _Once:
    """A function of these arguments, computed when it is first asked for."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    @cached_property
    def value(self) -> Any:
        return self.function(*self.arguments)

    def __call__(self) -> Any:
        return self.value


def _chosen(sections: Any, known: Sequence[str]) -> list[str]:
    if sections is None:
        return list(known)
    names = [sections] if isinstance(sections, str) else sections
    if not is_listing(names):
        raise ValueError(f"sections: expected a list of names, got {cut_repr(sections)}")
    names = list(names)
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"sections: expected some of {', '.join(known)}, got {cut_repr(name)}")
    return list(dict.fromkeys(names))


def _is_checked(check: bool | None) -> bool:
    """Whether to run the check: as asked, or where Keras is installed."""
    return check if check is not None else find_spec("keras") is not None and find_spec("tensorflow") is not None


def _reports(example: Example, progress: Progress | None) -> tuple[Report, ...] | str:
    """The check in float32 and float64, of a large model in its own type; why there is none where Keras cannot."""
    x = [np.asarray(one)[None] for one in example.x] if _is_list(example) else np.asarray(example.x)[None]
    found = []
    for dtype in ("float32", "float64") if example.is_checked_twice else (example.derivation.dtype,):
        if progress:
            progress(f"checking against Keras in {dtype}")
        try:
            model = _live(example, dtype)
        except NotImplementedError as error:
            return str(error)
        targets = _batch(example) if example.gradient.loss else None
        loss = list(example.gradient.loss) if example.gradient.loss else None
        given = Derivation(example.derivation.network, regularizers=example.derivation.regularizers)
        found.append(check_model(model, x, targets, loss, given))
    return tuple(found)


def _live(example: Example, dtype: str) -> Any:
    """The Keras model: that of the file with its own weights, else one made anew."""
    file = example.derivation.file
    if file is not None and example.has_own_weights and dtype == example.derivation.dtype:
        return load(file[0])
    return build(example.derivation.network.graph, weights=example.weights, batch_size=1, dtype=dtype)


def _is_list(example: Example) -> bool:
    return len(example.derivation.network.sources) > 1


def _batch(example: Example) -> Any:
    several = len(example.derivation.network.heads) > 1
    return [np.asarray(one)[None] for one in example.y_true] if several else np.asarray(example.y_true)[None]
