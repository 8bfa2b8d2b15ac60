"""Functions that stay names in expressions, and those of several numbers, such as `softmax` and `maximum`."""

from typing import Any

from sympy import (
    Add,
    And,
    Eq,
    Expr,
    Function,
    Ge,
    Gt,
    Integer,
    Max,
    Min,
    Ne,
    Or,
    Piecewise,
    exp,
    log,
    sign,
)  # fmt: skip
from sympy.core.function import ArgumentIndexError


def when(*cases: tuple[Any, Any], otherwise: Any) -> Expr:
    """The first value whose condition holds, else `otherwise`."""
    return Piecewise(*cases, (otherwise, True))


class NamedFunction(Function):
    """A function that stays a name in expressions until its definition is asked for.

    `latex` and `text` are printed in place of its name, where they are not empty; `signs`, where it
    is a relation, is printed between its arguments, in brackets, in LaTeX and as text. Where it is
    `straight` it is in straight pieces, and rounding moves it as it moves its arguments.
    """

    latex: str = ""
    text: str = ""
    signs: tuple[str, str] | None = None
    straight: bool = False
    is_extended_real = True

    def define(self) -> Expr:
        """The definition put in for the name."""
        raise NotImplementedError(f"{type(self).__name__} has no definition")

    def stable(self) -> Expr:
        """The form to compute with."""
        return self.define()


def define(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions put in."""
    while expr.has(NamedFunction):
        expr = expr.replace(lambda e: isinstance(e, NamedFunction), lambda e: e.define())
    return expr


def stable(expr: Expr) -> Expr:
    """A named function or slope of numbers in the form to compute with."""
    return expr.stable()


# functions of several numbers -------------------------------------------------------------------


class Indicator(NamedFunction):
    """A function that is 1 or 0: TensorFlow takes each of its derivatives as 0."""

    straight = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """Nothing."""
        return Integer(0)

    def condition(self) -> Any:
        """Where the function is 1."""
        raise NotImplementedError(f"{type(self).__name__} has no condition")

    def define(self) -> Expr:
        """The definition put in for the name."""
        return when((1, self.condition()), otherwise=0)


class equal(Indicator):  # noqa: N801
    """equal(a, b) = 1 where a = b, else 0."""

    nargs = 2
    signs = ("=", "=")

    def condition(self) -> Any:
        """Where the function is 1."""
        return Eq(*self.args)


class at_least(Indicator):  # noqa: N801
    """at_least(a, b) = 1 where a >= b, else 0."""

    nargs = 2
    signs = (r"\ge", "≥")

    def condition(self) -> Any:
        """Where the function is 1."""
        return Ge(*self.args)


class exceeds(Indicator):  # noqa: N801
    """exceeds(a, b) = 1 where a > b, else 0."""

    nargs = 2
    signs = (">", ">")

    def condition(self) -> Any:
        """Where the function is 1."""
        return Gt(*self.args)


class differs(Indicator):  # noqa: N801
    """differs(value, z_0, z_1, ...) = 1 where any z_k is not the value, else 0."""

    def condition(self) -> Any:
        """Where the function is 1."""
        value, *entries = self.args
        return Or(*(Ne(z, value) for z in entries))


class onehot(Indicator):  # noqa: N801
    """onehot(j, z) = 1 where z, cut to a whole number towards 0, is j, else 0."""

    nargs = 2

    def condition(self) -> Any:
        """Where the function is 1."""
        j, z = self.args
        return And(z > j - 1, z < 1) if j == 0 else And(z >= j, z < j + 1)


class larger(NamedFunction):  # noqa: N801
    """larger(a, b) = max(a, b); where they are equal a gets the derivative, as in TensorFlow's maximum."""

    nargs = 2
    straight = True
    latex, text = r"\max", "max"

    def fdiff(self, argindex: int = 1) -> Expr:
        """[a >= b], and for b [b > a]."""
        a, b = self.args
        return at_least(a, b) if argindex == 1 else exceeds(b, a)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return Max(*self.args)


class smaller(NamedFunction):  # noqa: N801
    """smaller(a, b) = min(a, b); where they are equal a gets the derivative, as in TensorFlow's minimum."""

    nargs = 2
    straight = True
    latex, text = r"\min", "min"

    def fdiff(self, argindex: int = 1) -> Expr:
        """[b >= a], and for b [a > b]."""
        a, b = self.args
        return at_least(b, a) if argindex == 1 else exceeds(a, b)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return Min(*self.args)


class signum(Indicator):  # noqa: N801
    """signum(z) = 1 where z > 0, -1 where z < 0, and 0 at 0."""

    nargs = 1
    latex, text = r"\mathrm{sign}", "sign"

    def define(self) -> Expr:
        """The definition put in for the name."""
        return sign(*self.args)


class maximum(NamedFunction):  # noqa: N801
    """maximum(z_0, z_1, ...); equal ones share the derivative, as in TensorFlow's reduce_max."""

    straight = True
    latex, text = r"\max", "max"

    def fdiff(self, argindex: int = 1) -> Expr:
        """[z_j = max] divided by the number of the z_k that are equal to the maximum."""
        ties = [equal(z, self) for z in self.args]
        return ties[argindex - 1] / Add(*ties)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return Max(*self.args)


class softmax(NamedFunction):  # noqa: N801
    """softmax(j, z_0, z_1, ...) = exp(z_j) / sum_k exp(z_k)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """D s_j / d z_k = s_j ([j = k] - s_k)."""
        j, *logits = self.args
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        k = argindex - 2
        return self * ((1 if j == k else 0) - softmax(Integer(k), *logits))

    def define(self) -> Expr:
        """The definition put in for the name."""
        j, *logits = self.args
        return exp(logits[int(j)]) / sum(map(exp, logits))


class logsumexp(NamedFunction):  # noqa: N801
    """log sum_k exp(z_k)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative by z_k is softmax(k, z_0, z_1, ...)."""
        return softmax(Integer(argindex - 1), *self.args)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return log(sum(map(exp, self.args)))


OF_SEVERAL: tuple[type[NamedFunction], ...] = (
    *(equal, at_least, exceeds, differs, onehot, larger, smaller, signum, maximum, softmax, logsumexp),
)
"""The functions of several numbers."""
