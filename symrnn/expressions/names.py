r"""How symbols are named: one structured name gives the identifier in code, the LaTeX and the text.

| part    | example                  | identifier | LaTeX                                |
|---------|--------------------------|------------|--------------------------------------|
| base    | `Name("h")`            | `h`        | `h`                                  |
| sub     | `Name("b", sub="h")`   | `b_h`      | `b_h`                                |
| layer   | `Name("U", layer="2")` | `U2`       | `U^{(2)}`                            |
|         | `layer="2bw"`            | `U2bw`     | `U^{(2)\leftarrow}`                  |
| time    | `.at(3)`, `.at("t-1")`   | `h_3`, `h_prev` | `h_3`, `h_{t-1}`                |
| entry   | `.part(0, 1)`            | `U_0_1`    | `U_{0,1}`                            |
| mark    | `.adjoint()`             | `dh_t`     | `\bar h_t`; `\delta_t` for `a_t`   |
| partial | `.partial("y")`          | `dU`       | `\frac{\partial y}{\partial U}`   |
| word    | `Name("lambda")`       | `lambda_`  | `\lambda`                        |
| order   | `.adjoint(2)`            | `d2h_t`    | `\hat h_t`                          |
|         | `.adjoint().adjoint(2)`  | `d2dh_t`   | `\hat{\bar h}_t`                   |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from unicodedata import normalize

from symrnn.expressions.identifiers import identifier

Time = int | str
"""A time step: a number, or one of "t", "t-1", "t+1" where it is any step, and "T-1", "0", "T" at the ends."""

_CODE_OF_TIME: Mapping[Time, str] = {"t-1": "prev", "t+1": "next", "T-1": "last", "0": "last", "T": "init", -1: "init"}
_GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ"},
    **{"mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ"},
    **{"omega": "ω", "zeta": "ζ", "lambda": "λ"},
}
_LATEX_OF_BASE: Mapping[str, str] = {"y_true": "y", **{name: f"\\{name}" for name in _GREEK}}
_TEXT_OF_BASE: Mapping[str, str] = _GREEK
_LATEX_WORDS: Mapping[str, str] = {"y_true": r"\mathrm{true}"}
_TILDE = "\N{COMBINING TILDE}"
_ACCENTS: tuple[tuple[str, str], ...] = (
    (r"\bar", "\N{COMBINING MACRON}"),
    (r"\hat", "\N{COMBINING CIRCUMFLEX ACCENT}"),
    (r"\check", "\N{COMBINING CARON}"),
)
_ARROWS: Mapping[str, tuple[str, str]] = {"fw": (r"\rightarrow", "→"), "bw": (r"\leftarrow", "←"), "": ("", "")}


@dataclass(frozen=True)
class Name:
    """The structured name of a symbol.

    `layer` is the layer's number, with "fw" or "bw" for the halves of a bidirectional one. A base
    that ends in "~" has a tilde: a value before a mask is applied. A number in brackets at the end of
    `sub` says for which of several uses a derivative is. `axes` is how many indices one
    entry has, `steps` what the number of time steps is called. `order` is 2 for a derivative that the second
    backpropagation found, and `earlier` are the orders of the marks that the symbol had before.
    """

    base: str
    sub: str = ""
    layer: str = ""
    time: Time | None = None
    entry: tuple[int, ...] = ()
    mark: str = ""
    objective: str = ""
    axes: int = 1
    steps: str = "T"
    order: int = field(default=1, repr=False)
    earlier: tuple[int, ...] = field(default=(), repr=False)

    def at(self, time: Time | None) -> "Name":
        """The same letter at another time step."""
        return replace(self, time=time)

    def part(self, *entry: int) -> "Name":
        """One entry of the symbol."""
        return replace(self, entry=entry)

    def adjoint(self, order: int = 1) -> "Name":
        """The name of the derivative by this symbol: a bar, delta for a pre-activation a, a hat at second order."""
        if self.base == "a" and order == 1:
            return replace(self, base="delta")
        return self._marked("bar", order)

    def partial(self, objective: str, order: int = 1) -> "Name":
        """The name of the derivative of the objective by this symbol, written as a fraction."""
        return replace(self._marked("partial", order), objective=objective)

    def message(self, order: int = 1) -> "Name":
        """The name of what the adjoint receives from the neighbouring time step."""
        return self._marked("message", order)

    def _marked(self, mark: str, order: int) -> "Name":
        return replace(self, mark=mark, order=order, earlier=self._orders)

    def _unmarked(self) -> "Name":
        """The letter without its last mark."""
        *earlier, last = self.earlier or (1,)
        return replace(self, mark="bar" if self.earlier else "", order=last, earlier=tuple(earlier))

    @property
    def _orders(self) -> tuple[int, ...]:
        """The orders of the marks, the first one innermost."""
        return (*self.earlier, self.order) if self.mark else ()

    @property
    def is_adjoint(self) -> bool:
        """Whether this is a derivative of the objective."""
        return bool(self.mark) or self.base == "delta"

    @property
    def is_total(self) -> bool:
        """Whether this is the objective, or its sum before the mean."""
        return self.base in ("L", "S", "s") and not self.mark and self.time is None

    @property
    def _stem(self) -> str:
        marks = "".join("d" if order == 1 else f"d{order}" for order in reversed(self._orders))
        return marks + self.base.replace("~", "_new") + self.layer

    @property
    def _sub(self) -> list[str]:
        """The index as part of an identifier: use1 for [1], the first of several uses."""
        return [self.sub.replace("[", "use").replace("]", "")] if self.sub else []

    @property
    def family(self) -> str:
        """The identifier without its time step."""
        return identifier("_".join([self._stem, *self._sub, *map(str, self.entry)]))

    @cached_property
    def code(self) -> str:
        """The identifier: letter, layer number, sub, time, entries."""
        time = [] if self.time is None else [_CODE_OF_TIME.get(self.time, str(self.time))]
        if self.mark == "message":
            time = ["carry"]
        return identifier("_".join([self._stem, *self._sub, *time, *map(str, self.entry)]))

    @cached_property
    def latex(self) -> str:
        """The symbol in LaTeX; it needs parentheses before a power where `layer` is set."""
        if self.mark == "partial":
            below = self._unmarked().latex
            return rf"\frac{{\partial {self.objective}}}{{\partial {below}}}"
        plain = self.base.removesuffix("~")
        base = _LATEX_OF_BASE.get(plain) or (plain if len(plain) == 1 else rf"\mathit{{{plain}}}")
        base = base if plain == self.base else rf"\tilde {base}"
        head = base
        for order in self._orders:
            accent, _ = _accent(order)
            head = rf"{accent} {head}" if head == base and plain == self.base else rf"{accent}{{{head}}}"
        word = _LATEX_WORDS.get(self.base)
        number, arrow = self._label(0)
        return _scripts(head, ",".join([*([word] if word else []), *self._indices]), number + arrow)

    @cached_property
    def text(self) -> str:
        """The symbol for a terminal, in Unicode."""
        if self.mark == "partial":
            return f"∂{self.objective}/∂{self._unmarked().text}"
        plain = self.base.removesuffix("~")
        marks = ("" if plain == self.base else _TILDE) + "".join(_accent(order)[1] for order in self._orders)
        number, arrow = self._label(1)
        base = normalize("NFC", _TEXT_OF_BASE.get(plain, plain) + marks)
        return _scripts(base, ",".join(self._indices), number + arrow)

    def _label(self, style: int) -> tuple[str, str]:
        """The layer's number in parentheses, and an arrow for a half: LaTeX for style 0, text for 1."""
        half = self.layer[-2:] if self.layer[-2:] in _ARROWS else ""
        number = self.layer.removesuffix(half)
        return f"({number})" if number else "", _ARROWS[half][style]

    @property
    def _indices(self) -> list[str]:
        time = [] if self.time is None else [str(self.time).replace("T", self.steps)]
        return [*filter(None, [self.sub]), *time, *map(str, self.entry)]


def _accent(order: int) -> tuple[str, str]:
    """The mark of the k-th backpropagation, in LaTeX and in Unicode; the last one of the table for all after it."""
    return _ACCENTS[min(order, len(_ACCENTS)) - 1]


def _scripts(head: str, below: str, above: str) -> str:
    subscript = "" if not below else f"_{below}" if len(below) == 1 else f"_{{{below}}}"
    return head + subscript + (f"^{{{above}}}" if above else "")


def move(time: Time | None, to: int | str) -> Time | None:
    """The same place seen from another step: t + `to` for +1 or -1, or the step 0 or "T-1" for t.

    >>> move("t", 1), move("t-1", 1), move("t-1", "T-1"), move("t", 0), move("T-1", 1)
    ('t+1', 't', 'T-2', 0, 'T-1')
    """
    steps: list[Time] = ["t-2", "t-1", "t", "t+1", "t+2"]
    if time not in steps:
        return time
    offset = steps.index(time) - 2
    if to == 0:
        return offset
    if to == "T-1":
        return "T" if offset == 1 else f"T-{1 - offset}"
    return steps[2 + offset + int(to)]
