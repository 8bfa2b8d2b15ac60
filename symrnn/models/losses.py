"""Keras' losses as equations: L, the mean over samples (and time steps) of a number per sample.

p is the prediction y, t the target y_true, e = p - t, C the number of columns, eps = 1e-7; mean and
sum are over the columns. Where the prediction is a softmax or a sigmoid, Keras computes a
crossentropy from what it was applied to, the logits z; `from_logits` says that y itself is z.
Source: keras/src/losses/losses.py, keras/src/losses/loss.py, keras/src/backend/tensorflow/nn.py.

| loss                             | per sample                                                  |
|----------------------------------|-------------------------------------------------------------|
| mse, mean_squared_error          | mean e^2                                                    |
| mae, mean_absolute_error         | mean abs e                                                  |
| mape, mean_absolute_percentage_error | mean 100 abs e / max(abs t, eps)                        |
| msle, mean_squared_logarithmic_error | mean (log(max(p, eps) + 1) - log(max(t, eps) + 1))^2, eps in float32 |
| huber                            | mean e^2/2 where abs e <= delta, else delta abs e - delta^2/2 |
| log_cosh                         | mean e + log(1 + exp(-2e)) - log 2, log 2 in float32        |
| poisson                          | mean p - t log(p + eps)                                     |
| kl_divergence                    | sum t' log(t'/p'), both clipped to [eps, 1]                 |
| cosine_similarity                | -sum n(t) n(p), n(v) = v min(1/sqrt(sum v^2), 1/eps)        |
| hinge                            | mean max(1 - t' p, 0); t' = 2t - 1 if all labels of the batch are 0 or 1, else t |
| squared_hinge                    | mean max(1 - t' p, 0)^2                                     |
| categorical_hinge                | max(max((1 - t) p) - sum t p + 1, 0)                        |
| binary_crossentropy              | mean -(t log q + (1-t) log(1-q)), q = p clipped to [eps, 1-eps] |
| ... from logits                  | mean log(1 + e^z) - z t                                     |
| categorical_crossentropy         | -sum t log q, q = p / sum p clipped to [eps, 1-eps]         |
| ... from logits                  | sum t (log sum e^z - z)                                     |
| sparse_categorical_crossentropy  | that from logits of z = log q, q = p clipped; t = 1 in the column y_true, else 0 |
| ... from logits                  | as categorical_crossentropy from logits                     |

With `label_smoothing` s a crossentropy takes t (1-s) + s/C for t, the binary one t (1-s) + s/2. With
a mask m, one number per sample or step, L is sum m l / max(sum m, 1) over all of the batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

from sympy import Abs, Expr, log
from sympy.matrices.expressions import OneMatrix

from symrnn.common.errors import cut_repr
from symrnn.common.fields import is_number
from symrnn.expressions.activation_table import EPSILON, clip, float32, float64, inverse_norm, log_cosh, softplus
from symrnn.expressions.activations import clip_from, huber
from symrnn.expressions.functions import equal, larger
from symrnn.expressions.matrices import add, columns, elementwise, hadamard, multiply, ones, peak, scaled, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, CrossEntropy, N, OneHot
from symrnn.expressions.shapes import shape_of
from symrnn.models.network import ModelOutput, Network
from symrnn.programs.program import Equation, Program, Statement, recurrence

_P, _T = SLOTS[:2]


@dataclass(frozen=True)
class Loss:
    """A loss of Keras by name, with the arguments that Keras' function of that name has.

    Raises:
        ValueError: an unknown name, an argument that this loss does not have, or a wrong value.
    """

    name: str
    from_logits: bool = False
    label_smoothing: float = 0.0
    delta: float = 1.0

    def __new__(cls, name: str = "", *values: Any, **arguments: Any) -> "Loss":
        """Refuse an argument that no loss has, such as that of a focal loss, by its name."""
        known = [one.name for one in fields(cls)]
        unknown = [argument for argument in arguments if argument not in known]
        if unknown:
            expected, name = ", ".join(known[1:]), loss_name(name)
            raise ValueError(f"loss {name}: expected the arguments {expected}, got {', '.join(unknown)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", loss_name(self.name))
        for argument, (expected, fits) in _VALUES.items():
            value = getattr(self, argument)
            if not fits(value):
                raise ValueError(f"loss {self.name}: {argument}: expected {expected}, got {cut_repr(value)}")
            if argument in self.arguments and argument not in LOSSES[self.name].arguments:
                having = ", ".join(name for name, formula in LOSSES.items() if argument in formula.arguments)
                raise ValueError(f"loss {self.name}: {argument} is an argument of {having} only, got {cut_repr(value)}")

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments for Keras' function of this name, without those that are its defaults."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return {argument: value for argument, value in given.items() if argument != "name"}

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name}({arguments})" if arguments else self.name


_VALUES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "from_logits": ("True or False", lambda value: isinstance(value, bool)),
    "label_smoothing": ("a number from 0 to 1", lambda value: is_number(value) and 0 <= value <= 1),
    "delta": ("a positive number", lambda value: is_number(value) and value > 0),
}
"""What each argument of a loss is, and the test of it."""


# what a loss adds to the program ----------------------------------------------------------------


@dataclass
class _Build:
    """What the loss of one output has added so far; local to one call of `with_loss`.

    `step` are the equations of one step that are not yet part of a recurrence, `families` those
    symbols of the loss that a recurrence may read.
    """

    head: ModelOutput
    label: str
    names: dict[Expr, Name]
    items: list[Statement] = field(default_factory=list)
    step: list[Equation] = field(default_factory=list)
    families: list[Expr] = field(default_factory=list)

    def symbol(self, name: Name, *shape: object) -> Expr:
        """A symbol of this output; with a number where a cell has its name."""
        taken = {symbol.name for symbol in self.names}
        numbered = (replace(name, layer=self.label, sub=f"{name.sub}{number or ''}") for number in count())
        name = next(free for free in numbered if free.code not in taken)
        made = variable(name.code, shape)
        self.names[made] = name
        return made

    def rows(self, name: Name, width: Any) -> Expr:
        """A symbol with one row per sample, and one element per time step where the output has steps."""
        if not self.head.sequence:
            return self.symbol(name, N, width)
        return self.symbol(replace(name, time="t", steps=str(self.head.steps)), N, width)

    def name(self, name: Name, expr: Expr) -> Expr:
        """A symbol for an expression with one row per sample."""
        made = self.rows(name, expr.shape[1])
        (self.step if self.head.sequence else self.items).append(Equation(made, expr))
        return made

    def number(self, name: Name, expr: Expr) -> Expr:
        """A symbol for an expression that is one number."""
        made = self.symbol(name, 1, 1)
        self.items.append(Equation(made, expr))
        return made

    def totals(self, *terms: tuple[Name, Expr]) -> list[Expr]:
        """Symbols for sums over all entries and steps; the equations of a step so far become a recurrence."""
        symbols = [self.symbol(name, 1, 1) for name, _ in terms]
        sums = [Equation(symbol, _sum(expr)) for symbol, (_, expr) in zip(symbols, terms, strict=True)]
        if not self.head.sequence:
            self.items += sums
            return symbols
        stacked = [equation.lhs for equation in self.step]
        reads = [self.head.symbol, *filter(None, [self.head.logits, self.head.mask]), *self.families]
        length = self.head.steps
        self.items.append(recurrence(self.step, reads, (), stacked, sums, names=self.names, length=length))
        self.step, self.families = [], [*self.families, *stacked]
        return symbols


def _sum(expr: Expr) -> Expr:
    """The sum of all entries."""
    return multiply(OneMatrix(1, N), _along(expr))


def _along(expr: Expr) -> Expr:
    """The sum along each row: one column."""
    return expr if expr.shape[1] == 1 else multiply(expr, ones((expr.shape[1], 1)))


# the losses -------------------------------------------------------------------------------------

Terms = Callable[[Loss, Expr, Expr, _Build], Expr]


@dataclass(frozen=True)
class Formula:
    """How a loss is built from the prediction p and the target t.

    `terms` gives a number for each entry or each row, `from_logits` the same from logits in place of
    p. The loss of a sample is the mean of its entries where `mean` is set, else their sum. With `ids`
    the target is one column, the number of a class in each row. `arguments` are those of Keras'
    function that `Loss` has too, `names` are Keras' other names, that of its class last.
    """

    names: tuple[str, ...]
    terms: Terms
    mean: bool = True
    from_logits: Terms | None = None
    ids: bool = False
    arguments: tuple[str, ...] = ()


_Q, _Q_TRUE = Name("q", sub="y"), Name("y_true", sub="q")
"""What a loss makes of the prediction, and of the target in the same way."""


def _entries(template: Callable[[Expr, Expr], Expr]) -> Terms:
    """A number for each entry, by a function of p and t."""
    return lambda loss, p, t, build: elementwise(template(_P, _T), p, t)


def _of_both(change: Callable[[Expr], Expr], template: Callable[[Expr, Expr], Expr]) -> Terms:
    """A number for each entry, of p and t that are both changed first."""

    def terms(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
        q = build.name(_Q, elementwise(change(_P), p))
        return elementwise(template(_P, _T), q, build.name(_Q_TRUE, elementwise(change(_P), t)))

    return terms


def _huber(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    return elementwise(huber(loss.delta)(_P - _T), p, t)


def _cosine_similarity(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    q = _normalised(p, Name("r", sub="y"), _Q, build)
    return multiply(-1, hadamard(q, _normalised(t, Name("y_true", sub="r"), _Q_TRUE, build)))


def _normalised(v: Expr, factor: Name, name: Name, build: _Build) -> Expr:
    """V with each row divided by its length."""
    column = build.name(factor, elementwise(inverse_norm(_P), _along(elementwise(_P**2, v))))
    return build.name(name, scaled(column, v))


def _hinge(power: int) -> Terms:
    return lambda loss, p, t, build: elementwise(larger(1 - _T * _P, 0) ** power, p, _signed(t, build))


def _signed(t: Expr, build: _Build) -> Expr:
    """The labels t + B (t - 1), where B = 1 if no label of the batch is other than 0 and 1, else 0."""
    others = elementwise((1 - equal(_P, 0)) * (1 - equal(_P, 1)), t)
    (count,) = build.totals((Name("S", sub="y"), others))
    binary = build.number(Name("B", sub="y"), elementwise(equal(_P, 0), count))
    everywhere = multiply(ones((N, 1)), binary, ones((1, shape_of(t)[1])))
    return build.name(Name("y_true", sub="h"), elementwise(_P + _T * (_P - 1), t, everywhere))


def _categorical_hinge(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    others = build.name(Name("v", sub="y"), elementwise((1 - _T) * _P, p, t))
    parts = [columns(others, j, j + 1) for j in range(build.head.width)]
    highest = build.name(Name("k", sub="y"), peak(*parts))
    return elementwise(larger(_P - _T + 1, 0), highest, _along(hadamard(t, p)))


def _smoothed(loss: Loss, t: Expr, classes: int, build: _Build) -> Expr:
    """T (1 - s) + s / classes."""
    smoothing = float(loss.label_smoothing)
    if not smoothing:
        return t
    template = float64(1.0 - smoothing) * _P + float64(smoothing / classes)
    return build.name(Name("y_true", sub="s"), elementwise(template, t))


def _clipped(p: Expr, build: _Build) -> Expr:
    return build.name(_Q, elementwise(clip(_P), p))


def _binary(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    target = _smoothed(loss, t, 2, build)
    return elementwise(-(_T * log(_P) + (1 - _T) * log(1 - _P)), _clipped(p, build), target)


def _binary_logits(loss: Loss, z: Expr, t: Expr, build: _Build) -> Expr:
    return add(elementwise(softplus(_P), z), multiply(-1, hadamard(z, _smoothed(loss, t, 2, build))))


def _categorical(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    width = shape_of(p)[1]
    target = _smoothed(loss, t, width, build)
    totals = multiply(p, ones((width, 1)), ones((1, width)))
    shares = build.name(Name("p", sub="y"), elementwise(_P / _T, p, totals))
    return elementwise(-_T * log(_P), _clipped(shares, build), target)


def _categorical_logits(loss: Loss, z: Expr, t: Expr, build: _Build) -> Expr:
    return CrossEntropy(_smoothed(loss, t, shape_of(z)[1], build), z)


def _sparse(loss: Loss, p: Expr, t: Expr, build: _Build) -> Expr:
    return _sparse_logits(loss, elementwise(log(_P), _clipped(p, build)), t, build)


def _sparse_logits(loss: Loss, z: Expr, t: Expr, build: _Build) -> Expr:
    return CrossEntropy(build.name(Name("y_true", sub="e"), OneHot(t, build.head.width)), z)


_SMOOTHED = ("from_logits", "label_smoothing")
LOSSES: dict[str, Formula] = {
    "mse": Formula(("mean_squared_error", "MSE", "MeanSquaredError"), _entries(lambda p, t: (p - t) ** 2)),
    "mae": Formula(("mean_absolute_error", "MAE", "MeanAbsoluteError"), _entries(lambda p, t: Abs(p - t))),
    "mape": Formula(
        ("mean_absolute_percentage_error", "MAPE", "MeanAbsolutePercentageError"),
        _entries(lambda p, t: 100 * Abs(p - t) / larger(Abs(t), EPSILON)),
    ),
    "msle": Formula(
        ("mean_squared_logarithmic_error", "MSLE", "MeanSquaredLogarithmicError"),
        # here Keras keeps eps in float32
        _of_both(lambda p: log(larger(p, float32(1e-7)) + 1), lambda p, t: (p - t) ** 2),
    ),
    "huber": Formula(("Huber",), _huber, arguments=("delta",)),
    "log_cosh": Formula(("LogCosh",), _entries(lambda p, t: log_cosh(p - t))),
    "poisson": Formula(("Poisson",), _entries(lambda p, t: p - t * log(p + EPSILON))),
    "kl_divergence": Formula(
        ("kld", "KLD", "KLDivergence"), _of_both(clip_from(1e-7), lambda p, t: t * log(t / p)), mean=False
    ),
    "cosine_similarity": Formula(("CosineSimilarity",), _cosine_similarity, mean=False),
    "hinge": Formula(("Hinge",), _hinge(1)),
    "squared_hinge": Formula(("SquaredHinge",), _hinge(2)),
    "categorical_hinge": Formula(("CategoricalHinge",), _categorical_hinge, mean=False),
    "binary_crossentropy": Formula(
        ("bce", "BCE", "BinaryCrossentropy"), _binary, from_logits=_binary_logits, arguments=_SMOOTHED
    ),
    "categorical_crossentropy": Formula(
        ("CategoricalCrossentropy",), _categorical, False, _categorical_logits, arguments=_SMOOTHED
    ),
    "sparse_categorical_crossentropy": Formula(
        ("SparseCategoricalCrossentropy",), _sparse, False, _sparse_logits, ids=True, arguments=("from_logits",)
    ),
}
"""Loss name: how it is built."""
ALIASES = {alias: name for name, formula in LOSSES.items() for alias in formula.names}
"""Keras' other name of a loss: the loss name."""


def loss_name(name: object) -> str:
    """The loss's name checked, aliases resolved.

    Raises:
        ValueError: an unknown loss.
    """
    if isinstance(name, str) and name in LOSSES:
        return str(name)
    if isinstance(name, str) and name in ALIASES:
        return ALIASES[name]
    raise ValueError(f"unknown loss {cut_repr(name)}; known: {', '.join(sorted([*LOSSES, *ALIASES]))}")


def loss_of(value: object) -> Loss:
    """The loss that a name, or a `Loss` itself, stands for.

    Raises:
        ValueError: an unknown loss.
    """
    return value if isinstance(value, Loss) else Loss(loss_name(value))


def losses_of(value: object, outputs: int) -> tuple[Loss, ...]:
    """One loss for each output: from one for all of them, or a list or tuple with one for each.

    Raises:
        ValueError: an unknown loss, or another number of them.
    """
    if not isinstance(value, list | tuple):
        return (loss_of(value),) * outputs
    if len(value) != outputs:
        raise ValueError(f"loss: expected one for all outputs, or a list of {outputs}, got a list of {len(value)}")
    return tuple(map(loss_of, value))


def default_loss(heads: Sequence[ModelOutput]) -> Any:
    """None, for the sum of the outputs; a crossentropy for one whose rows have a constant sum, and no derivatives."""
    names = ["categorical_crossentropy" if head.normalized and head.width > 1 else "mse" for head in heads]
    return None if set(names) == {"mse"} else names[0] if len(set(names)) == 1 else names


# programs ---------------------------------------------------------------------------------------


def with_sum(network: Network) -> Program:
    """The forward program with the sum of all entries of all outputs, s; a single y is s itself."""
    program, heads = network.program, network.heads
    if len(heads) == 1 and heads[0].width == 1 and not heads[0].sequence:
        return program
    names = dict(program.names)
    builds = [_Build(head, label, names) for head, label in zip(heads, _labels(heads), strict=True)]
    sums = [build.totals((Name("s"), build.head.symbol))[0] for build in builds]
    items = [item for build in builds for item in build.items]
    total = _total(Name("s"), sums, names, items)
    return Program(program.inputs, program.sequences, (*program.equations, *items), (total,), names)


def with_loss(network: Network, loss: str | Loss | Sequence[str | Loss]) -> Program:
    """The forward program, with a target for each output as further input and the loss L as its output.

    For a sequence the target is a family, S is the sum over t and L = S / (N T m). With several
    outputs L is the sum of the losses of all of them.

    Raises:
        ValueError: an unknown loss, or another number of losses than of outputs.
    """
    program, heads = network.program, network.heads
    names = dict(program.names)
    builds = [_Build(head, label, names) for head, label in zip(heads, _labels(heads), strict=True)]
    targets, parts = zip(*map(_loss, losses_of(loss, len(heads)), builds), strict=True)
    items = [item for build in builds for item in build.items]
    total = _total(Name("L"), parts, names, items)
    inputs = (*program.inputs, *(t for t, head in zip(targets, heads, strict=True) if not head.sequence))
    sequences = (*program.sequences, *(t for t, head in zip(targets, heads, strict=True) if head.sequence))
    return Program(inputs, sequences, (*program.equations, *items), (total,), names)


def _labels(heads: Sequence[ModelOutput]) -> list[str]:
    """The number of each output, if there are several."""
    return [""] if len(heads) == 1 else [str(k) for k in range(1, len(heads) + 1)]


def _total(name: Name, parts: Sequence[Expr], names: dict[Expr, Name], items: list[Statement]) -> Expr:
    """The one number of all outputs: their sum, if there are several."""
    if len(parts) == 1:
        return parts[0]
    total = variable(name.code, (1, 1))
    names[total] = name
    items.append(Equation(total, add(*parts)))
    return total


def _loss(loss: Loss, build: _Build) -> tuple[Expr, Expr]:
    """The target of an output, and the symbol of its loss."""
    head, formula = build.head, LOSSES[loss.name]
    target = build.rows(Name("y_true"), 1 if formula.ids else head.width)
    build.families += [target] if head.sequence else []
    kept = head.symbol if head.logits is None and loss.from_logits else head.logits
    if formula.from_logits is not None and kept is not None:
        terms = formula.from_logits(loss, kept, target, build)
    else:
        terms = formula.terms(loss, head.symbol, target, build)
    return target, build.number(Name("L"), _mean(terms, head.width if formula.mean else 1, build))


def _mean(terms: Expr, entries: int, build: _Build) -> Expr:
    """The mean over samples and steps, where there is a mask over those that it lets through.

    The number of those is at least 1 below the line: where there are none the loss is 0, as in Keras.
    """
    head = build.head
    if head.mask is None:
        total, steps = (build.totals((Name("S"), terms))[0], head.steps) if head.sequence else (_sum(terms), 1)
        return multiply(1 / (N * entries * steps), total)
    total, valid = build.totals((Name("S"), hadamard(head.mask, _along(terms))), (Name("M"), head.mask))
    return elementwise(_P / (entries * larger(_T, 1)), total, valid)
