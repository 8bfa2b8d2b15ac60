"""Keras' losses as equations: L, the mean over samples (and time steps) of a number per sample.

p is the prediction y, t the target y_true, eps = 1e-7. Where the prediction is a softmax or a
sigmoid, Keras computes a crossentropy from what it was applied to, the logits z.
Source: keras/src/losses/losses.py and keras/src/backend/tensorflow/nn.py.

| loss                             | per sample                                                  |
|----------------------------------|-------------------------------------------------------------|
| mse, mean_squared_error          | mean (p - t)^2                                              |
| mae, mean_absolute_error         | mean abs(p - t)                                             |
| huber                            | mean e^2/2 where abs e <= 1, else abs e - 1/2; e = p - t    |
| binary_crossentropy              | mean -(t log q + (1-t) log(1-q)), q = p clipped to [eps, 1-eps] |
| ... from logits                  | mean log(1 + e^z) - z t                                     |
| categorical_crossentropy         | -sum t log q, q = p / sum p clipped to [eps, 1-eps]         |
| ... from logits                  | sum t (log sum e^z - z)                                     |
"""

from collections.abc import Callable

from sympy import Abs, Expr, Integer, log
from sympy.matrices.expressions import OneMatrix

from symrnn.forward import Network
from symrnn.functions import clip, huber, softplus
from symrnn.matrices import SLOTS, CrossEntropy, N, T, add, elementwise, hadamard, multiply, ones, shape_of, variable
from symrnn.notation import Letter
from symrnn.program import Equation, Program, recurrence

_P, _T = SLOTS[:2]
_CLIPPED = -(_T * log(_P) + (1 - _T) * log(1 - _P))


def _entrywise(template: Expr) -> Callable[..., tuple[list[Equation], Expr]]:
    return lambda p, t, q, shares: ([], elementwise(template, p, t))


def _binary(p: Expr, t: Expr, q: Expr, shares: Expr) -> tuple[list[Equation], Expr]:
    return [Equation(q, elementwise(clip(_P), p))], elementwise(_CLIPPED, q, t)


def _binary_logits(z: Expr, t: Expr, q: Expr, shares: Expr) -> tuple[list[Equation], Expr]:
    return [], add(elementwise(softplus(_P), z), multiply(-1, hadamard(z, t)))


def _categorical(p: Expr, t: Expr, q: Expr, shares: Expr) -> tuple[list[Equation], Expr]:
    width = shape_of(p)[1]
    totals = multiply(p, ones((width, 1)), ones((1, width)))
    return [Equation(shares, elementwise(_P / _T, p, totals)), Equation(q, elementwise(clip(_P), shares))], elementwise(
        -_T * log(_P), q, t
    )


def _categorical_logits(z: Expr, t: Expr, q: Expr, shares: Expr) -> tuple[list[Equation], Expr]:
    return [], CrossEntropy(t, z)


_MEAN, _SUM = True, False
LOSSES: dict[str, tuple[Callable[..., tuple[list[Equation], Expr]], bool]] = {
    "mse": (_entrywise((_P - _T) ** 2), _MEAN),
    "mae": (_entrywise(Abs(_P - _T)), _MEAN),
    "huber": (_entrywise(huber(_P - _T)), _MEAN),
    "binary_crossentropy": (_binary, _MEAN),
    "categorical_crossentropy": (_categorical, _SUM),
}
"""Loss name: its equations, in the prediction p, the target t and names for the clipped p and for
p / sum p, with the number of each entry or row; whether it is the mean over the columns or their sum."""
_FROM_LOGITS = {"binary_crossentropy": _binary_logits, "categorical_crossentropy": _categorical_logits}
ALIASES = {
    "mean_squared_error": "mse",
    "mean_absolute_error": "mae",
    "bce": "binary_crossentropy",
    "MSE": "mse",
    "MAE": "mae",
    "BCE": "binary_crossentropy",
}


def loss_name(name: object) -> str:
    """The loss's name checked, aliases resolved.

    Raises:
        ValueError: an unknown loss.
    """
    if isinstance(name, str) and name in LOSSES:
        return str(name)
    if isinstance(name, str) and name in ALIASES:
        return ALIASES[name]
    raise ValueError(f"unknown loss {name!r}; known: {', '.join(sorted([*LOSSES, *ALIASES]))}")


def with_sum(network: Network) -> Program:
    """The forward program with the sum of all entries of y as its output s; a single y is s itself."""
    program, y = network.program, network.output
    if network.outputs == 1 and not network.sequence:
        return program
    s = variable("s", (1, 1))
    letters = {**program.letters, s: Letter("s")}
    entries = multiply(OneMatrix(1, N), y, ones((network.outputs, 1)))
    sums = [Equation(s, entries)]
    item = recurrence([], [y], sums=sums, letters=letters) if network.sequence else sums[0]
    return Program(program.inputs, program.sequences, (*program.equations, item), (s,), letters)


def with_loss(network: Network, name: str) -> Program:
    """The forward program, with the target y_true as a further input and the loss L as its output.

    For sequences the target is a family, S is the sum over t and L = S / (N T m).
    """
    name = loss_name(name)
    formula, mean = LOSSES[name]
    predicted = network.output
    if network.logits is not None and name in _FROM_LOGITS:
        formula, predicted = _FROM_LOGITS[name], network.logits
    program, time = network.program, "t" if network.sequence else None
    letters = dict(program.letters)

    def symbol(letter: Letter, *shape: object) -> Expr:
        made = variable(letter.code, shape)
        letters[made] = letter
        return made

    target = symbol(Letter("y_true", time=time), *shape_of(predicted))
    clipped = symbol(Letter("q", time=time), *shape_of(predicted))
    shares = symbol(Letter("p", time=time), *shape_of(predicted))
    total, L = symbol(Letter("S"), 1, 1), symbol(Letter("L"), 1, 1)
    equations, terms = formula(predicted, target, clipped, shares)
    count = N * (Integer(network.outputs) if mean else 1)
    summed = multiply(OneMatrix(1, N), terms, *([ones((terms.shape[1], 1))] if terms.shape[1] != 1 else []))
    if not network.sequence:
        mean_of_all = Equation(L, multiply(1 / count, summed))
        items = (*program.equations, *equations, mean_of_all)
        return Program((*program.inputs, target), program.sequences, items, (L,), letters)
    stacked = [equation.lhs for equation in equations]
    sums = [Equation(total, summed)]
    step = recurrence(equations, [predicted, target], stacked=stacked, sums=sums, letters=letters)
    items = (*program.equations, step, Equation(L, multiply(1 / (count * T), total)))
    return Program(program.inputs, (*program.sequences, target), items, (L,), letters)
