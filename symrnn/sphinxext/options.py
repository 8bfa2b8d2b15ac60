"""What a page shows of a derivation: the options of a directive as values, and the parts they name as nodes."""

from collections.abc import Callable, Mapping
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives

from symrnn.common.errors import cut_repr
from symrnn.derivations.derivation import ZOOMS
from symrnn.documents.blocks import Article
from symrnn.interface import Derivation
from symrnn.model_options import DEFAULTS
from symrnn.sphinxext.nodes import contents, nodes_of

# options ----------------------------------------------------------------------------------------


def _flag(text: str | None) -> bool:
    directives.flag(text)  # raises where there is a value
    return True


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.replace(",", " ").split()]


_TYPES: Mapping[str, tuple[Callable[[str], Any], str]] = {
    **{name: (type(value), "a whole number" if type(value) is int else "a name") for name, value in DEFAULTS.items()},
    "loss": (str, "the name of a loss"),
    "gradient": (_flag, "no value"),
    "show": (_words, "names with commas between them"),
    "x": (_numbers, "numbers"),
    "y_true": (_numbers, "numbers"),
    "label": (str, "a name"),
    "caption": (str, "a text"),
}
"""How each option is read, and what it expects."""


def read_options(options: Mapping[str, str]) -> dict[str, Any]:
    """The options of a directive as values.

    Raises:
        ValueError: an unknown option, or a wrong value of one.
    """
    return {name: _value(name, text) for name, text in options.items()}


def _value(name: str, text: str) -> Any:
    if name not in _TYPES:
        raise ValueError(f"unknown option {cut_repr(name)}; known: {', '.join(_TYPES)}")
    convert, expected = _TYPES[name]
    if convert is not _flag and not text:
        raise ValueError(f":{name}: expected {expected}, got nothing")
    try:
        return convert(text)
    except ValueError:
        raise ValueError(f":{name}: expected {expected}, got {cut_repr(text)}") from None


# what is shown ----------------------------------------------------------------------------------


def shown(derivation: Derivation, options: Mapping[str, Any]) -> list[nodes.Node]:
    """The parts of a derivation that `:show:` names, one after the other, as nodes.

    A zoom (step, unrolled, scalar, closed) gives the equations, with `:gradient:` or `:loss:` the
    way back too; picture and rolled the drawing; any other name is a section of the document.

    Raises:
        ValueError: there is nothing of a name.
    """
    names = options.get("show", ("unrolled",))
    return [node for name in names for node in _part(name, derivation, options, alone=len(names) == 1)]


def _part(name: str, derivation: Derivation, options: Mapping[str, Any], alone: bool) -> list[nodes.Node]:
    if name in ZOOMS:
        loss = options.get("loss")
        whole = derivation.gradient(loss) if options.get("gradient") or loss else derivation
        return nodes_of(whole.display(name))
    if name in _PICTURES:
        return nodes_of(_PICTURES[name](derivation, options))
    document = _document(name, derivation, options)
    return contents(document.sections[0]) if alone else nodes_of(document)


_PICTURES: Mapping[str, Callable[[Derivation, Mapping[str, Any]], Any]] = {
    "picture": lambda derivation, options: derivation.picture(backward=bool(options.get("gradient"))),
    "rolled": lambda derivation, options: derivation.picture(rolled=True),
}


def _document(name: str, derivation: Derivation, options: Mapping[str, Any]) -> Article:
    """The document that has the section of this name only."""
    x = _sample(derivation, options["x"]) if "x" in options else None
    return derivation.document([name], x, options.get("y_true"), loss=options.get("loss"))


def _sample(derivation: Derivation, numbers: list[float]) -> Any:
    """The numbers as a sample of the first input: a row for each time step where it has several features."""
    width = derivation.network.sources[0].width
    return numbers if width == 1 else [numbers[i : i + width] for i in range(0, len(numbers), width)]
