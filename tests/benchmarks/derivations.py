"""How long it takes to derive, to print and to generate code, as the number of time steps grows."""

from functools import partial

import sympy
from sympy.core.cache import clear_cache

import symrnn
from tests.benchmarks.timing import by_turns, report


def notebook(timesteps: int) -> symrnn.Derivation:
    """The notebook's model, one unit and one feature, for any number of time steps."""
    return symrnn.derive(symrnn.Sequential([symrnn.SimpleRNN(1), symrnn.Dense(1)], input_shape=(timesteps, 1)))


def callables(timesteps: int) -> None:
    """Derive the model, differentiate it, and generate and compile both functions."""
    derivation = notebook(timesteps)
    for function in (derivation.lambdify(), derivation.gradient().lambdify()):
        for source in (function.source, function.row_source):
            compile(source, "<benchmark>", "exec")


def programs(timesteps: int) -> None:
    """The unrolled forward and gradient Programs, which are validated when they are made."""
    derivation = notebook(timesteps)
    derivation.program("unrolled")
    derivation.gradient().program("unrolled")


def printed(timesteps: int) -> None:
    """The same Programs and their LaTeX."""
    derivation = notebook(timesteps)
    derivation.latex("unrolled")
    derivation.gradient().latex("unrolled")


def nested(timesteps: int) -> tuple[sympy.Expr, list[sympy.Symbol]]:
    """The notebook's y as one expression in plain Symbols, and its five parameters."""
    U, V, b_h, W, b_o = parameters = list(sympy.symbols("U V b_h W b_o"))
    h = sympy.Integer(0)
    for x in sympy.symbols(f"x:{timesteps}"):
        h = sympy.tanh(U * x + V * h + b_h)
    return W * h + b_o, parameters


def diff_of_nested(timesteps: int) -> None:
    """The five derivatives by `sympy.diff`."""
    expr, parameters = nested(timesteps)
    for parameter in parameters:
        sympy.diff(expr, parameter)


def gated(kind: type[symrnn.LSTM] | type[symrnn.GRU], timesteps: int) -> str:
    """Derive 32 gated units and a Dense, differentiate the loss and generate its function: the source."""
    layers = [kind(32), symrnn.Dense(1)]
    return symrnn.derive(symrnn.Sequential(layers, input_shape=(timesteps, 8))).gradient("mse").lambdify().source


def independence(short: int = 10, long: int = 10_000, rounds: int = 15) -> float:
    """Derivation, gradient and both callables: many time steps against few."""
    works = {"long": lambda: callables(long), "short": lambda: callables(short)}
    times = by_turns(works, rounds, prepare=clear_cache)
    return report(
        f"derive, gradient and both callables, T = {long} : T = {short}", times["long"], times["short"], "<= 1.2"
    )


def independence_of_gates(short: int = 50, long: int = 5000, rounds: int = 15) -> list[float]:
    """Derivation, gradient and source of gated cells: many time steps against few, and the same source."""
    ratios = []
    for kind in (symrnn.LSTM, symrnn.GRU):
        if gated(kind, short) != gated(kind, long):
            raise ValueError(f"the source of {kind.__name__} depends on the number of time steps")
        works = {"long": partial(gated, kind, long), "short": partial(gated, kind, short)}
        times = by_turns(works, rounds, prepare=clear_cache)
        what = f"{kind.__name__}(32): derive, gradient and source, T = {long} : T = {short}"
        ratios.append(report(what, times["long"], times["short"], "<= 1.2"))
    return ratios


def against_diff(timesteps: int = 1000, nested_steps: int = 30, rounds: int = 5) -> list[float]:
    """The unrolled Programs, with and without LaTeX, against SymPy on the nested expression."""
    works = {
        "printed": lambda: printed(timesteps),
        "programs": lambda: programs(timesteps),
        "diff": lambda: diff_of_nested(nested_steps),
    }
    times = by_turns(works, rounds, prepare=clear_cache)
    what = {"printed": "unrolled Programs with LaTeX", "programs": "unrolled Programs"}
    return [
        report(f"{text}, T = {timesteps} : sympy.diff, T = {nested_steps}", times[name], times["diff"], "<= 1")
        for name, text in what.items()
    ]


def growth(short: int = 1000, long: int = 10_000, rounds: int = 1) -> float:
    """The unrolled Programs with LaTeX as T grows."""
    works = {"long": lambda: printed(long), "short": lambda: printed(short)}
    times = by_turns(works, rounds, prepare=clear_cache)
    asked = f"about {long / short:.3g}"
    return report(f"unrolled Programs with LaTeX, T = {long} : T = {short}", times["long"], times["short"], asked)


def main() -> None:
    """Print all ratios."""
    independence()
    independence_of_gates()
    against_diff()
    growth()


if __name__ == "__main__":
    main()
