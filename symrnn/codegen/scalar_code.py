# ruff: noqa: N802 - a printer of SymPy's finds its methods by the names of classes
"""Scalar expressions as Python text in two dialects: NumPy arrays, and floats with `math`.

The named functions are printed by name; `helpers` gives the source of those that a text uses, made
from their stable forms in `functions`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sympy import And, Expr, Function, NumberSymbol, Rational, Symbol, cse, oo
from sympy.printing.pycode import PythonCodePrinter

from symrnn.expressions.activation_table import sigmoid
from symrnn.expressions.functions import Indicator, NamedFunction, stable

_FUNCTIONS = ("tanh", "exp", "log", "log1p", "expm1", "sin", "cos", "sinh", "cosh")
_ARCS = {"atan": "arctan", "asinh": "arcsinh"}  # SymPy's names, which are those of `math`, and NumPy's
_HELPED = {"erfc": "erfc", "sign": "sign"}


class _Printer(PythonCodePrinter):
    """What both dialects print alike: named functions by name, constants as decimals, small powers as products."""

    def _print(self, expr: Any, **kwargs: Any) -> str:
        return repr(float(expr)) if isinstance(expr, NumberSymbol) else str(super()._print(expr, **kwargs))

    def _print_Function(self, expr: Expr) -> str:
        name = type(expr).__name__
        if name not in self.known_functions and not isinstance(expr, NamedFunction):
            raise NotImplementedError(f"no rule of scalar code for {name}")
        return f"{self.known_functions.get(name, name)}({', '.join(map(self._print, expr.args))})"

    _print_exp = _print_log = _print_sin = _print_cos = _print_sinh = _print_cosh = _print_Function

    _print_tanh = _print_atan = _print_asinh = _print_Function

    _print_erfc = _print_Function

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:
        base, exponent = expr.args
        if base.is_number and not exponent.is_Integer:  # np.sqrt(pi) would be a float64
            return repr(float(expr))
        if exponent == Rational(1, 2):
            return f"{self._sqrt}({self._print(base)})"
        if exponent == Rational(-1, 2):
            return f"1/{self._sqrt}({self._print(base)})"
        if exponent == 2 and base.is_Symbol:
            return f"({self._print(base)}*{self._print(base)})"
        return super()._print_Pow(expr, rational=rational)

    _print_sign = _print_Function

    def _print_Infinity(self, expr: Expr) -> str:
        return 'float("inf")'

    def _print_Float(self, expr: Expr) -> str:
        number = float(expr)
        return repr(number) if math.isfinite(number) else self._print(oo if number > 0 else -oo)


def has_numbers_only(expr: Expr) -> bool:
    """Whether this is a function by cases whose values are numbers."""
    return bool(expr.is_Piecewise) and all(value.is_number for value, _ in expr.args)


class _ArrayPrinter(_Printer):
    """Entry by entry on arrays."""

    _sqrt = "np.sqrt"

    def _print_Or(self, expr: Expr) -> str:
        return " | ".join(map(self._grouped, expr.args))

    def _print_And(self, expr: Expr) -> str:
        return " & ".join(map(self._print, expr.args))

    def _grouped(self, expr: Expr) -> str:
        return f"({self._print(expr)})" if isinstance(expr, And) else self._print(expr)

    def _print_Piecewise(self, expr: Expr) -> str:
        """The values where the conditions hold; numbers alone have the type of what is compared."""
        text = self.selected(expr)
        compared = ", ".join(sorted(symbol.name for symbol in expr.free_symbols))
        return f"{text}.astype(np.result_type({compared}))" if has_numbers_only(expr) else text

    def selected(self, expr: Expr) -> str:
        """The same, where the type of numbers does not matter."""
        *cases, (last, _) = expr.args
        text = self._print(last)
        for value, condition in reversed(cases):
            text = f"np.where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def _fold(self, name: str, args: Iterable[Expr]) -> str:
        first, *rest = map(self._print, sorted(args, key=lambda arg: arg.is_number))
        for text in rest:
            first = f"{name}({first}, {text})"
        return first

    def _print_Max(self, expr: Expr) -> str:
        return self._fold("np.maximum", expr.args)

    def _print_Min(self, expr: Expr) -> str:
        return self._fold("np.minimum", expr.args)

    def _print_Abs(self, expr: Expr) -> str:
        return f"np.abs({self._print(expr.args[0])})"

    def _print_sign(self, expr: Expr) -> str:
        return f"np.sign({self._print(expr.args[0])})"


class _FloatPrinter(_Printer):
    """On floats; a comparison with NaN is false, so the functions below keep NaN as NumPy does."""

    _sqrt = "sqrt"

    def _print_Piecewise(self, expr: Expr) -> str:
        *cases, (last, _) = expr.args
        parts = [f"{self._print(value)} if {self._print(condition)} else " for value, condition in cases]
        return f"({''.join(parts)}{self._print(last)})"

    def _print_Max(self, expr: Expr) -> str:
        x, bound = sorted(expr.args, key=lambda arg: arg.is_number)
        return f"({self._print(bound)} if {self._print(x)} < {self._print(bound)} else {self._print(x)})"

    def _print_Min(self, expr: Expr) -> str:
        x, bound = sorted(expr.args, key=lambda arg: arg.is_number)
        return f"({self._print(bound)} if {self._print(x)} > {self._print(bound)} else {self._print(x)})"

    def _print_Abs(self, expr: Expr) -> str:
        return f"abs({self._print(expr.args[0])})"


@dataclass(frozen=True)
class Dialect:
    """A printer, and the source of the functions it uses that is not made from their stable forms.

    `plain` are the functions that are computed by their definition and not by their stable form.
    """

    printer: _Printer
    extra: dict[str, str]
    plain: frozenset[type] = frozenset()

    def text(self, expr: Expr) -> str:
        """The expression as Python."""
        return self.printer.doprint(expr)

    def helpers(self, exprs: Iterable[Expr]) -> str:
        """The source of the functions that the expressions use, those they use in turn first."""
        found: dict[str, str] = {}
        for expr in exprs:
            self._collect(expr, found)
        return "\n\n".join(found.values())

    def _collect(self, expr: Expr, found: dict[str, str]) -> None:
        for node in sorted(expr.atoms(NamedFunction), key=str):
            self._add(type(node), node, found)
        used = {type(node).__name__ for node in expr.atoms(Function)}
        found |= {name: source for name, source in self.extra.items() if name in used}

    def _add(self, kind: type, node: Expr, found: dict[str, str]) -> None:
        name = kind.__name__
        if name in {*found, *self.extra, *self.printer.known_functions}:
            return
        arguments = [Symbol(letter, real=True) for letter in "xy"[: len(node.args)]]
        applied = kind(*arguments)
        formula = applied.define() if kind in self.plain else stable(applied)
        self._collect(formula, found)
        found[name] = self._define(kind, arguments, formula)

    def _define(self, kind: type, arguments: list[Symbol], formula: Expr) -> str:
        names = ", ".join(symbol.name for symbol in arguments)
        parts, (result,) = cse([formula], symbols=map(Symbol, ("u", "v", "w", "p", "q", "r")))
        lines = [f"    {symbol} = {self.text(part)}" for symbol, part in parts]
        text = self.text(result)
        if isinstance(self.printer, _ArrayPrinter) and has_numbers_only(result):
            dtype = f"np.result_type({names})" if issubclass(kind, Indicator) else "x.dtype"  # x may be a number
            text = f"{self.printer.selected(result)}.astype({dtype})"
        elif isinstance(self.printer, _ArrayPrinter) and not formula.free_symbols:  # min(max(x, 0), 0)
            text = f"np.full_like({arguments[0]}, {text})"
        return "\n".join([f"def {kind.__name__}({names}):", *lines, f"    return {text}"])


ARRAYS = Dialect(
    _ArrayPrinter(
        {
            "user_functions": _HELPED
            | {name: f"np.{name}" for name in _FUNCTIONS}
            | {name: f"np.{numpy}" for name, numpy in _ARCS.items()}
            | {"larger": "np.maximum", "smaller": "np.minimum", "signum": "np.sign"}
        }
    ),
    {
        "erfc": "def erfc(x):\n    return np.vectorize(math.erfc, otypes=[float])(x).astype(x.dtype)",
        "maximum": "def maximum(*z):\n    return np.maximum.reduce(z)",
        "differs": "def differs(value, *z):\n    return np.any([x != value for x in z], axis=0).astype(z[0].dtype)",
        "onehot": "def onehot(j, z):\n    return (np.trunc(z) == j).astype(z.dtype)",
    },
    plain=frozenset({sigmoid}),  # where np.exp overflows, 1 / (1 + exp(-x)) is 0, as it should be
)
FLOATS = Dialect(
    _FloatPrinter({"user_functions": _HELPED | {name: name for name in (*_FUNCTIONS, *_ARCS)}}),
    {
        "sign": "def sign(x):\n    return copysign(1.0, x) if abs(x) > 0 else x",
        "softmax": """def softmax(j, *z):
    e = [exp(value - max(z)) for value in z]
    return e[j]/sum(e)""",
        "logsumexp": """def logsumexp(*z):
    return max(z) + log(sum(exp(value - max(z)) for value in z))""",
        "larger": "def larger(x, y):\n    return y if x < y or y != y else x",
        "smaller": "def smaller(x, y):\n    return y if y < x or y != y else x",
        "maximum": """def maximum(*z):
    return next((value for value in z if value != value), max(z))""",
        "differs": """def differs(value, *z):
    return 1.0 if any(x != value for x in z) else 0.0""",
        "onehot": "def onehot(j, z):\n    return 1.0 if int(z) == j else 0.0",
    },
)
