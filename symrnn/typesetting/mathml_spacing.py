"""The spaces in a formula, which are TeX's: they go by the kinds of two neighbours (TeXbook, chapter 18).

Browsers go by the sign alone. So an operator is told what it would not do by itself, and between other
elements stands a space of its own.
"""

from itertools import pairwise
from xml.etree.ElementTree import Element

_SIGNS = {"open": "([{⟨⌊⌈", "close": ")]}⟩⌋⌉", "punct": ",;", "rel": "=≈≠<>≤≥←→∈≡∼", "bin": "+−±×⊙⋅∘∗", "op": "∑∏∫"}
_KINDS = {sign: kind for kind, signs in _SIGNS.items() for sign in signs} | dict.fromkeys("…⋯⋮⋱", "inner")
_ORDER = ("ord", "op", "bin", "rel", "open", "close", "punct", "inner")
_ROWS = ("03450003", "33050003", "44004004", "55005005", "00000000", "03450003", "33033333", "33453033")
_SPACES = {(a, b): int(row[i]) for a, row in zip(_ORDER, _ROWS, strict=True) for i, b in enumerate(_ORDER)}
"""The space between two neighbours in 1/18 em."""
_OVERHANG = {**dict.fromkeys("VY", 0.18), **dict.fromkeys("FPTWf", 0.11), **dict.fromkeys("CHJKMNUXZ", 0.07)}
"""How far a slanted letter reaches beyond its width in em, which browsers heed at scripts alone."""
_IN_SCRIPTS = frozenset({("ord", "op"), ("op", "ord"), ("op", "op"), ("close", "op"), ("inner", "op")})
_GIVING = frozenset(("rel", "bin", "punct", "op"))
"""The kinds of operators that the space after them belongs to."""
_SCRIPTED = frozenset(("msub", "msup", "msubsup", "munder", "mover", "munderover"))
_GROUPS = frozenset(("mrow", "mtd", "mstyle", "msqrt", "mphantom"))
_OWN = {"rel": (5, 5), "bin": (4, 4), "punct": (0, 3), "open": (0, 0), "close": (0, 0), "sign": (0, 0)}
"""The spaces that a browser puts around an operator of a kind by itself."""


def set_spaces(row: Element, script: bool = False, start: str = "") -> None:
    """Give the parts of a row, and all within them, their spaces; `start` is the kind before the first."""
    atoms = [part for part in row if part.tag != "mspace"]
    seen = [atom for atom in atoms if atom.tag != "mrow" or len(atom)]
    kinds = _settled([start, *map(_kind, atoms), ""])
    spaces = [0 if script and pair not in _IN_SCRIPTS else _SPACES.get(pair, 0) for pair in pairwise(kinds)]
    taken = False
    for atom, kind, before, after in zip(atoms, kinds[1:], spaces, spaces[1:], strict=False):
        core, before = _core(atom), 0 if taken else before
        taken = core is not None and kind in _GIVING
        if core is not None:
            _space_operator(core, kind, (before, after if taken else 0), outer=atom in (seen[0], seen[-1]))
        elif before:
            row.insert(list(row).index(atom), Element("mspace", width=_em(before)))
    for place, part in reversed(list(enumerate(row))):
        _descend(part, script)
        if part.tag == "mi" and part.text in _OVERHANG and "mathvariant" not in part.attrib:
            row.insert(place + 1, Element("mspace", width=f"{_OVERHANG[part.text]}em"))


def _descend(element: Element, script: bool) -> None:
    if element.tag in _GROUPS:
        return set_spaces(element, script)
    for place, part in enumerate(element):
        _descend(part, script or (place > 0 and element.tag in _SCRIPTED and "accent" not in element.attrib))
    return None


def _space_operator(core: Element, kind: str, spaces: tuple[int, int], outer: bool) -> None:
    """Say what a browser would not do by itself: the form at either end of a row, and other spaces."""
    if kind == "ord" and core.text in ("+", "−"):
        core.set("form", "prefix")
        kind = "sign"
    elif kind in ("rel", "bin") and outer:
        core.set("form", "infix")
    for name, wanted, own in zip(("lspace", "rspace"), spaces, _OWN.get(kind, (-1, -1)), strict=True):
        if wanted != own:
            core.set(name, _em(wanted))


def _em(space: int) -> str:
    return f"{space / 18:.4f}em" if space else "0"


def _settled(kinds: list[str]) -> list[str]:
    """The kinds, where a binary operator with nothing to its left or right to join is a sign."""
    for i in range(1, len(kinds) - 1):
        if kinds[i] == "bin" and (
            kinds[i - 1] in ("", "bin", "op", "rel", "open", "punct") or kinds[i + 1] in ("", "rel", "close", "punct")
        ):
            kinds[i] = "ord"
    return kinds


def _core(element: Element) -> Element | None:
    """The operator that an element is, with or without scripts."""
    if element.tag == "mo":
        return element
    return _core(element[0]) if element.tag in _SCRIPTED and "accent" not in element.attrib else None


def _kind(element: Element) -> str:
    """What an element is in TeX's eyes; every name of several letters is a function's."""
    text = element.text or ""
    if element.tag in _SCRIPTED and "accent" not in element.attrib:
        return "op" if element[1].text == "⏟" else _kind(element[0])
    if "fence" in element.attrib and "form" in element.attrib:
        return "open" if element.get("form") == "prefix" else "close"
    if element.tag in ("mi", "mo") and len(text) > 1 and text.isascii():
        return "op"
    fenced = element.tag == "mrow" and len(element) > 0 and (element[0].text or " ") in _SIGNS["open"] + "{"
    return "inner" if element.tag == "mfrac" or fenced else _KINDS.get(text, "ord")
