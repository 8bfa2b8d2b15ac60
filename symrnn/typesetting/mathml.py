r"""LaTeX as MathML Core: single formulas, and displays as tables of their cells.

latex2mathml reads the LaTeX. Its tree is then built anew, as MathML Core has no bold or
sans-serif letters but those of Unicode, and some accents, limits and names come out as what they are not.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, tostring

from symrnn.common.errors import import_extra
from symrnn.typesetting.layout import DisplayRow, align
from symrnn.typesetting.mathml_spacing import set_spaces

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_BARS = re.compile(r"\\([lr])(?=[vV]ert(?![a-zA-Z]))")
_ALIGNED = {side: f"text-align: {side}; text-align: -webkit-{side}" for side in ("left", "right", "center")}
"""Browsers move a formula in a cell by the one or by the other."""
_SIDES = {"l": r"\left\l", "r": r"\right\r"}


@lru_cache(maxsize=4096)
def inline_math(latex: str) -> str:
    """The formula as one math element within a line; it holds the LaTeX as an annotation.

    Raises:
        ImportError: latex2mathml is missing; the message says what to install.
        ValueError: something in the formula has no MathML; the message names it.
    """
    row = Element("mrow")
    row.extend(_elements(latex))
    set_spaces(row)
    return _written(row, latex, {})


def display(rows: Sequence[DisplayRow]) -> str:
    """The rows as one math element with a table, aligned as in align; a tag stands to the right.

    A tag (F1) has the id "eq-F1", where it is not there twice.

    Raises:
        ImportError: latex2mathml is missing; the message says what to install.
        ValueError: something in a formula has no MathML; the message names it.
    """
    columns, tagged = max((len(row.cells) for row in rows), default=1), any(row.tag for row in rows)
    table = Element("mtable", {"displaystyle": "true"} | ({"style": "width: 100%"} if tagged else {}))
    known: set[str] = set()
    for row in rows:
        line = SubElement(table, "mtr")
        cells = [_cell(latex, place, row.gap) for place, latex in enumerate((*row.cells, *[""] * columns)[:columns])]
        line.extend([Element("mtd", style="width: 50%"), *cells, _tag(row, known)] if tagged else cells)
    return _written(table, align(rows), {"display": "block"})


def _cell(latex: str, place: int, gap: int) -> Element:
    """A cell of a display: the first of two is set to the right, the second begins as if after a symbol."""
    left = "1.5em" if place and place % 2 == 0 else "0"
    above = f"calc(0.3em + {gap}pt)" if gap else "0.3em"
    side = "left" if place % 2 else "right"
    cell = Element("mtd", style=f"{_ALIGNED[side]}; padding: {above} 0 0.3em {left}")
    cell.extend(_elements(latex))
    set_spaces(cell, start="ord" if place % 2 else "")
    return cell


def _tag(row: DisplayRow, known: set[str]) -> Element:
    """The last cell of a row: its tag, with an anchor where the tag is new."""
    cell = Element("mtd", style=f"width: 50%; {_ALIGNED['right']}; padding: 0 0 0 2em")
    name = row.tag.strip("()")
    if name:
        anchor = "eq-" + re.sub(r"[^\w.-]+", "-", name)
        SubElement(cell, "mtext", {} if anchor in known else {"id": anchor}).text = f"({name})"
        known.add(anchor)
    return cell


def _written(content: Element, latex: str, attributes: dict[str, str]) -> str:
    """A math element; what is copied from it has the LaTeX."""
    math = Element("math", {"xmlns": _NAMESPACE, **attributes})
    semantics = SubElement(math, "semantics")
    semantics.append(content)
    SubElement(semantics, "annotation", encoding="application/x-tex").text = latex
    return tostring(math, encoding="unicode")


def _elements(latex: str) -> list[Element]:
    """The elements of a formula, in letters and structure as they shall be, not yet in their spaces."""
    if not latex.strip():
        return []
    library = import_extra("latex2mathml.converter", "MathML")
    try:
        root = library.convert_to_element(_BARS.sub(lambda found: _SIDES[found[1]], latex), display="block")
    except Exception as error:  # the library's errors have no base class of their own
        raise ValueError(f"formula {latex}: expected LaTeX, got {type(error).__name__}") from None
    try:
        return _joined([_rebuilt(element) for row in root for element in row])
    except _NotSupportedError as error:
        raise ValueError(f"formula {latex}: expected what MathML has, got {error}") from None


class _NotSupportedError(Exception):
    """What came out of the library as a letter though it is none."""


# letters and structure --------------------------------------------------------------------------


def _rebuilt(element: Element) -> Element:
    """The element with everything in it as it shall be."""
    if len(element) != _SIZES.get(element.tag, len(element)):
        raise _NotSupportedError(f"{element.tag} of {len(element)}")
    return _RULES.get(element.tag, _copied)(element)


def _parts(element: Element) -> list[Element]:
    return [_rebuilt(child) for child in element]


def _made(tag: str, children: Sequence[Element] = (), text: str | None = None, /, **attributes: str) -> Element:
    element = Element(tag, attributes)
    element.extend(children)
    element.text = text
    return element


def _copied(element: Element) -> Element:
    return _made(element.tag, _parts(element), **element.attrib)


def _row(element: Element) -> Element:
    """A group; one of a single element, other than an operator, is that element."""
    parts = _word(element) or _joined(_parts(element))
    return parts[0] if len(parts) == 1 and parts[0].tag != "mo" else _made("mrow", parts)


def _word(element: Element) -> list[Element]:
    """The one name that a group of single upright, or italic, letters is."""
    variants = {child.get("mathvariant", "") for child in element if child.tag != "mn"}
    if len(element) < 2 or len(variants) != 1 or not variants <= {"normal", "italic"}:
        return []
    word = "".join(_text(child) for child in element)
    return [_made("mi", (), word if variants == {"normal"} else _styled(word, "italic"))]


def _joined(parts: Sequence[Element]) -> list[Element]:
    """The parts of a row, with |x| as parts of it and a matrix together with its brackets."""
    found: list[Element] = []
    for part in parts:
        found += list(part) if part.tag == "mrow" and len(part) > 1 and _is_bar(part[0]) else [part]
        if len(found) > 2 and found[-2].tag == "mtable" and found[-1].tag == found[-3].tag == "mo":
            found[-3:] = [_made("mrow", found[-3:])]
    return found


def _is_bar(element: Element) -> bool:
    return element.text in ("|", "‖") and element.get("form") == "prefix"


def _text(element: Element) -> str:
    """What a leaf says; a sign of LaTeX that was left in it says nothing."""
    text = element.text or ""
    if text in ("&", "{", "}") or "\\" in text:
        raise _NotSupportedError(text)
    return html.unescape(text)


def _words(element: Element) -> Element:
    """Words among symbols; a sign of LaTeX's own stands there with its backslash."""
    text = re.sub(r"\\([_%#&{}$])", r"\1", html.unescape(element.text or ""))
    if "\\" in text:
        raise _NotSupportedError(text.replace("\xa0", " "))
    return _made("mtext", (), text)


def _leaf(element: Element) -> Element:
    text, variant = _text(element), element.get("mathvariant", "")
    if element.tag == "mi" and len(text) == 1 and text.isascii() and text.isalpha() and element.text != text:
        variant = "normal"  # the only trace that the library leaves of \mathrm{d}
    if variant == "normal":
        return _made(element.tag, (), text, mathvariant="normal")
    return _made(element.tag, (), _styled(text, variant) if variant else text)


_UNICODE = {"bold-italic": "BOLD ITALIC", "bold-sans-serif": "SANS-SERIF BOLD"}


def _styled(text: str, variant: str) -> str:
    """The letters and digits as mathematical ones: a bold 1 is one sign of Unicode."""
    style = _UNICODE.get(variant, variant.upper())
    return "".join(_styled_sign(sign, style) for sign in text)


def _styled_sign(sign: str, style: str) -> str:
    name = re.sub("(LATIN|GREEK|LETTER) ", "", unicodedata.name(sign, ""))
    if (style, sign) == ("ITALIC", "h"):
        return "\N{PLANCK CONSTANT}"
    for front in ("MATHEMATICAL ", ""):
        try:
            return unicodedata.lookup(f"{front}{style} {name}")
        except KeyError:
            pass
    return sign


_SYMBOLS = frozenset("∂…⋯⋮⋱∞")
_KEPT = frozenset(("form", "fence", "stretchy", "minsize", "maxsize"))
_LIMITS = frozenset(("max", "min", "lim", "sup", "inf"))


def _operator(element: Element) -> Element:
    """An operator; what is a name or a symbol is an identifier."""
    text = _text(element)
    if text in _SYMBOLS or (len(text) > 1 and any(map(str.isalpha, text))):
        return _made("mi", (), text)
    kept = {name: value for name, value in element.attrib.items() if name in _KEPT}
    return _made("mo", (), text, **kept | ({"stretchy": "false"} if text in ("|", "‖") else {}))


def _space(element: Element) -> Element:
    if "linebreak" in element.attrib:
        raise _NotSupportedError(r"\\")
    return _made("mspace", **element.attrib)


_ACCENTS = {"~": "˜", "^": "ˆ", "―": "¯"}


def _accented(element: Element) -> Element:
    """A bar or a tilde above: as an accent, and over one letter no wider than it is drawn."""
    base, above = _parts(element)
    if above.tag != "mo":
        return _made("mover", (base, above), **element.attrib)
    single = base.tag == "mover" or len(base.text or "") == 1
    mark = _made("mo", (), _ACCENTS.get(above.text or "", above.text), stretchy="false" if single else "true")
    mark.set("style", "padding-bottom: 0.06em")  # so that a bar does not make of h the constant of Planck
    return _made("mover", (base, mark), accent="true")


def _lowered(element: Element) -> Element:
    """A subscript; that of max stands below it in a display."""
    base, below = _parts(element)
    if base.text not in _LIMITS:
        return _made("msub", (base, below))
    return _made("munder", (_made("mo", (), base.text, movablelimits="true", form="prefix"), below))


def _entries(element: Element) -> Element:
    """A row of a matrix, the first and the last entry near to the brackets."""
    last = len(element) - 1
    sides = [("0.1em" if i == last else "0.4em", "0.1em" if i == 0 else "0.4em") for i in range(last + 1)]
    return _made("mtr", [_entry(cell, *paddings) for cell, paddings in zip(element, sides, strict=True)])


def _entry(element: Element, right: str, left: str) -> Element:
    """An entry: numbers to the right, what the formula says to the left, others in the middle."""
    parts = _joined(_parts(element))
    numeric = bool(parts) and (parts[0].tag == "mn" or parts[0].text == "−")
    side = element.get("columnalign") or ("right" if numeric else "center")
    return _made("mtd", parts, style=f"{_ALIGNED[side]}; padding: 0.18em {right} 0.18em {left}")


_SIZES = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mroot": 2}
_RULES: dict[str, Callable[[Element], Element]] = {
    **dict.fromkeys(("mi", "mn", "ms"), _leaf),
    **{"mo": _operator, "mspace": _space, "mrow": _row, "mpadded": _row, "mover": _accented, "msub": _lowered},
    **{"mtr": _entries, "mtext": _words},
}
