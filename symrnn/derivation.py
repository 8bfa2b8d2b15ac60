"""The public interface: a model's derivation, and its gradient, at four zooms."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from sympy import Expr, Matrix

from symrnn import closed as closed_form
from symrnn import printing
from symrnn.adjoint import backprop
from symrnn.codegen import source
from symrnn.forward import forward
from symrnn.functions import clip
from symrnn.fusion import fuse
from symrnn.graph import Graph, Model, graph_of, with_timesteps
from symrnn.jacobian import Jacobian, jacobian
from symrnn.layers import Dense, Sequential, SimpleRNN, check_size
from symrnn.losses import Loss, losses_of, with_loss, with_sum
from symrnn.matrices import shape_of
from symrnn.namedfunctions import define
from symrnn.network import Network, Weight
from symrnn.nodes import N, OneHot
from symrnn.program import Cut, Equation, Join, Program, families, right_sides
from symrnn.scalarcode import scalar_source
from symrnn.selection import Request, names_in, of_array, request, select
from symrnn.signature import Arguments, Output, Target
from symrnn.styles import LATEX, TEXT
from symrnn.transforms import all_symbols, expand, letter_of, named_symbols, prune, stack_all, unroll

if TYPE_CHECKING:  # NumPy is loaded where numbers are computed: a derivation needs none
    import numpy as np

    from symrnn.document import Document
    from symrnn.numeric import Call, NumericFunction
    from symrnn.picture import Picture

ZOOMS = ("step", "unrolled", "scalar", "closed")
NOTEBOOK = Sequential([SimpleRNN(1), Dense(1)], input_shape=(3, 1))
"""Three time steps, one feature, one unit, one output."""
NOTEBOOK_WEIGHTS = ([[1.4501959]], [[-1.0]], [0.0], [[0.5759429]], [0.0])
NOTEBOOK_X = [1.0, 2.0, 3.0]
"""The notebook's weights and input; with them y is 0.5746256."""


def derive(model: Any = None, timesteps: int | None = None) -> "Derivation":
    """The derivation of a model: a `Sequential`, a `Model`, a Keras model, or the path of its file.

    With no model it is the notebook's: SimpleRNN(1) and Dense(1) on three time steps. `timesteps`
    sets the number of time steps of a model that leaves it open.

    Raises:
        ValueError: something about the model, or `timesteps` contradicts it.
        NotImplementedError: the model has something that symrnn does not support; it is named.
        FileNotFoundError: there is no such file.
    """
    if timesteps is not None:
        check_size("timesteps", timesteps, "derive")
    model = NOTEBOOK if model is None else model
    if isinstance(model, Sequential | Model | Graph):
        return Derivation(forward(with_timesteps(graph_of(model), timesteps)))
    from symrnn.keras_bridge import from_keras, is_keras_model  # here: a description needs no reader of files

    if not isinstance(model, str | os.PathLike) and not is_keras_model(model):
        raise ValueError(f"derive: expected a Sequential, a Model, a Keras model or a path, got {type(model).__name__}")
    imported = from_keras(model, timesteps)
    origin = (os.fspath(model), timesteps) if isinstance(model, str | os.PathLike) else None
    return Derivation(forward(imported.graph), imported.weights, imported.dtype, origin)


@dataclass(frozen=True)
class Derivation:
    """A model's forward equations, and everything that follows from them.

    `weights` are the arrays of the Keras model it was derived from, if any, and `dtype` its type;
    `file` is where that was read, with the number of time steps that was asked for.
    """

    network: Network
    weights: "tuple[np.ndarray, ...] | None" = None
    dtype: str = "float32"
    file: tuple[str, int | None] | None = field(default=None, compare=False)

    @property
    def timesteps(self) -> int | None:
        """The number of time steps of the first input that is a sequence, None where it is open."""
        return next(iter(self.network.timesteps.values()), None)

    @property
    def is_open(self) -> bool:
        """Whether the number of time steps of an input is open."""
        return None in self.network.timesteps.values()

    @property
    def table(self) -> tuple[Weight, ...]:
        """Symbol, Keras weight and shape of each weight, or block of one, in the order of get_weights()."""
        return self.network.weights

    @property
    def is_scalar(self) -> bool:
        """Whether every quantity is a number for each sample, so that all zooms are in plain symbols."""
        program = self.network.program
        shapes = [shape_of(symbol) for symbol in all_symbols(program).values()]
        return all(rows in (N, 1) and columns == 1 for rows, columns in shapes) and not _is_joined(program)

    @property
    def steps(self) -> Program:
        """The program in matrices, with recurrences for a general t."""
        return self.network.program

    def program(self, zoom: str = "unrolled", samples: int | str = 1) -> Program:
        """The equations at a zoom: "step", "unrolled" or "scalar".

        Matrices have N rows. Where entries stand by themselves it is for this number of samples;
        `samples="N"` keeps the matrices of a scalar model.

        Raises:
            ValueError: an unknown zoom; or the number of time steps is open, other than at "step".
        """
        if zoom not in ZOOMS[:3]:
            raise ValueError(f"unknown zoom {zoom!r}; known: {', '.join(ZOOMS[:3])}")
        if samples != "N" or zoom == "scalar":
            check_size("samples", samples, f"zoom {zoom!r}")
        scalar = zoom == "scalar" or (self.is_scalar and samples == 1)
        if scalar and _is_joined(self.steps):
            return self._select(expand(unroll(self.steps, self._steps_at(zoom)), int(samples)))
        steps = expand(self.steps, int(samples)) if scalar else self.steps
        if zoom == "step":
            return steps
        return self._select(unroll(steps, self._steps_at(zoom)))

    def _steps_at(self, zoom: str) -> dict[Expr, int]:
        """The numbers of time steps, which all zooms but "step" need."""
        known = {steps: number for steps, number in self.network.timesteps.items() if number is not None}
        if self.is_open:
            raise ValueError(
                f"zoom {zoom!r}: the model leaves the number of time steps open: give timesteps, or take zoom 'step'"
            )
        return known

    def _select(self, program: Program) -> Program:
        """The unrolled program with the outputs that were asked for."""
        return program

    @cached_property
    def symbols(self) -> dict[str, Expr]:
        """The symbols by name: those of the unrolled program, or of one step where T is open."""
        return named_symbols(self.program("step" if self.is_open else "unrolled"))

    @cached_property
    def y(self) -> Any:
        """Y in closed form with the activations' definitions put in; a row where it has several entries.

        A model with several outputs has a tuple of them.

        Raises:
            ValueError: it would have more than 10 000 operations or 40 nested steps.
        """
        self._steps_at("closed")
        program = Derivation(self.network).program("scalar")
        steps = tuple(Equation(equation.lhs, define(equation.rhs)) for equation in program.assignments)
        values = iter(closed_form.expressions(replace(program, equations=steps)))
        lengths = self._steps_at("closed")
        rows = [
            [next(values) for _ in range(head.width * (lengths[head.steps] if head.sequence else 1))]
            for head in self.network.heads
        ]
        found = tuple(row[0] if len(row) == 1 else Matrix([row]) for row in rows)
        return found[0] if len(found) == 1 else found

    def closed(self) -> tuple[Expr, ...]:
        """Each entry of the output as one expression in the inputs, activations by name.

        Raises:
            ValueError: see `y`.
        """
        self._steps_at("closed")
        return closed_form.expressions(self.program("scalar"))

    def latex(self, zoom: str = "unrolled", samples: int | str = 1) -> str:
        """One complete align* block for "step", "unrolled", "scalar" or "closed".

        It is for one sample; `samples="N"` prints the rows of a batch, with the sums over them.

        Raises:
            ValueError: an unknown zoom, open time steps, or a closed form above 2 million characters.
        """
        return printing.render(self.display(zoom, samples), LATEX)

    def text(self, zoom: str = "unrolled", samples: int | str = 1) -> str:
        """The same lines for a terminal."""
        return printing.render(self.display(zoom, samples), TEXT)

    def display(self, zoom: str = "unrolled", samples: int | str = 1) -> printing.Display:
        """What `latex` and `text` print, as a value."""
        if zoom not in ZOOMS:
            raise ValueError(f"unknown zoom {zoom!r}; known: {', '.join(ZOOMS)}")
        if zoom == "closed":
            self._steps_at(zoom)
        program = self.program("scalar" if zoom == "closed" else zoom, samples)
        return printing.Display(program, self._is_compact(zoom), zoom == "closed", samples)

    def _is_compact(self, zoom: str) -> bool:
        """Whether a_t goes into h_t = f(a_t): not where its sum is written out entry by entry."""
        return self.is_scalar or zoom != "scalar"

    def lambdify(self) -> "NumericFunction":
        """f(x, weights) -> y, as model.predict; its `source` is the code that runs.

        x is (N, timesteps, features), or one sample (timesteps, features), and then y has no batch
        axis; with several inputs, such as initial states, it is the list that Keras takes.
        `weights` is the list of get_weights(), or a mapping by symbol name. A model with several
        outputs, or with a state to keep, gives a list.
        """
        outputs = [Output("family" if head.sequence else "rows") for head in self.network.heads]
        outputs += [Output("rows")] * len(self.network.finals)
        program = prune(self.steps, (*self.steps.outputs, *self.network.finals))
        return self._function("predict", program, tuple(outputs), _only if len(outputs) == 1 else list)

    def values(self, x: Any, *rest: Any) -> "dict[str, np.ndarray]":
        """Every symbol's value by name, h_0, h_1, ...; the arguments are those of `lambdify()`."""
        from symrnn.numeric import read

        program = stack_all(self.steps)
        symbols = list(named_symbols(program).values())
        y_true, weights = self.lambdify().split(rest)
        call = read(self._arguments(program), x, y_true, weights)
        known = families(program)
        found: dict[str, Any] = {}
        for symbol, value in zip(symbols, self.compute(symbols, call), strict=True):
            if symbol not in known:
                found[symbol.name] = value
                continue
            letter = letter_of(program.letters, symbol)
            steps = value if call.single else value.swapaxes(0, 1)
            found |= {letter.at(t).code: step for t, step in enumerate(steps)}
        return found

    def compute(self, symbols: Sequence[Expr], call: "Call") -> "list[np.ndarray]":
        """The values of symbols of the step program, with arrays; a family's has an axis of time."""
        program = stack_all(self.steps)
        program = prune(program, tuple(symbols))
        known = families(program)
        outputs = tuple(_output(symbol, program, known) for symbol in symbols)
        return self._function("values", program, outputs, list).on_arrays(call)

    def gradient(self, loss: Any = None, wrt: Iterable[Any] | None = None) -> "Gradient":
        """The derivatives of the sum of y, or of a loss, by the weights, or by the symbols in `wrt`.

        `loss` is a name or a `Loss`, one for all outputs or a list with one for each; with several
        outputs the objective is the sum over all of them.

        `wrt` takes names or symbols: weights, "x", "x_0", an initial state, and what the program
        computes, such as "h_1"; "h" is the whole sequence of states.

        Raises:
            ValueError: an unknown loss, or a name in `wrt` that is not a symbol of the program.
        """
        network = self.network
        losses = None if loss is None else losses_of(loss, len(network.heads))
        program = with_sum(network) if losses is None else with_loss(network, losses)
        known = network.timesteps
        requests = (
            tuple(map(of_array, network.arrays))
            if wrt is None
            else tuple(request(name, program, known, network.arrays) for name in names_in(wrt))
        )
        single = len(network.heads) == 1 and network.outputs == 1 and not network.sequence
        objective = "L" if losses else "y" if single else "s"
        wanted = tuple(dict.fromkeys(symbol for one in requests for symbol in one.symbols))
        backward = backprop(program, wanted, objective)
        adjoints = dict(zip(wanted, backward.outputs, strict=True))
        total = program.outputs if losses else ()
        backward = replace(
            backward, outputs=(*total, *(adjoints[symbol] for one in requests for symbol in one.symbols))
        )
        return Gradient(
            self.network, self.weights, self.dtype, self.file, objective, losses, requests, backward=backward
        )

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        """The Jacobian of one quantity by an earlier one, by name: `jacobian("h_2", "h_0")`.

        With rows as samples J_ij is the derivative of the column j of `of` by the column i of `wrt`.

        Raises:
            ValueError: a name that is no symbol, a whole family, or a weight.
        """
        return jacobian(self.network, of, wrt)

    def picture(
        self, rolled: bool = False, backward: bool = False, numbers: Mapping[str, float] | None = None
    ) -> "Picture":
        """The network drawn: unrolled in time, rolled up with its loop, or with the way back.

        `numbers` are values of the adjoints by name, such as `dh_0`, for the way back.

        Raises:
            ValueError: `rolled` together with `backward`, or `numbers` without `backward`.
        """
        from symrnn.picture import picture  # here: a derivation needs no drawing

        return picture(self.network, rolled, backward, numbers)

    def document(
        self,
        sections: Iterable[str] | None = None,
        x: Any = None,
        y_true: Any = None,
        weights: Any = None,
        loss: Any = None,
        check: bool | None = None,
        seed: int = 0,
        title: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> "Document":
        """A document on this model: `d.document().save("rnn.pdf")`.

        `sections` are chosen by name, in the order in which they are given: model, picture, forward,
        closed, worked, backward, gradients, slips, check, general, letters; all of them by default.
        Its numbers are those of one sample x, of y_true where there is a loss, and of the weights: by
        default the model's own, the notebook's, or drawn by the seed. The check runs where Keras is
        installed, unless `check` says otherwise. `progress` is told what takes long.

        Raises:
            ValueError: a section that there is not, x, y_true or weights that do not fit, several samples.
            ImportError: a section needs something that is missing; the message says what to install.
        """
        from symrnn.documents import document  # here: a derivation needs no document

        return document(self, sections, x, y_true, weights, loss, check, seed, title, progress)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symrnn import rich

        return rich.equations(self.display("step" if self.is_open or self._is_long else "unrolled"))

    @property
    def _is_long(self) -> bool:
        """Whether there are too many time steps to show each."""
        return max(filter(None, self.network.timesteps.values()), default=1) > 10

    def _function(
        self, name: str, program: Program, outputs: tuple[Output, ...], finish: Callable[[list[Any]], Any]
    ) -> "NumericFunction":
        """A program as a function of numbers."""
        from symrnn.numeric import NumericFunction

        exact = any(expr.has(clip) for expr in right_sides(program))  # the ends of a clip depend on the dtype
        rows = scalar_source(expand(program), name) if self.is_scalar and not exact else None
        order = tuple(symbol.name for symbol in (*program.sequences, *program.inputs))
        return NumericFunction(
            name, source(fuse(program), name), rows, order, outputs, self._arguments(program), finish
        )

    def _arguments(self, program: Program) -> Arguments:
        targets: dict[str, Target] = {}
        one_hots = {node for expr in right_sides(program) for node in expr.atoms(OneHot)}
        for symbol in (*program.inputs, *program.sequences):
            letter = letter_of(program.letters, symbol)
            if letter.base == "y_true":
                steps = letter.steps if symbol in program.sequences else None
                depth = next((int(ids.args[1]) for ids in one_hots if ids.args[0] == symbol), None)
                targets[letter.layer] = Target(symbol.name, int(shape_of(symbol)[1]), steps, depth)
        listed = tuple(targets[label] for label in sorted(targets, key=lambda label: int(label or 0)))
        return Arguments(self.network.sources, self.network.arrays, listed)


@dataclass(frozen=True)
class Gradient(Derivation):
    """The derivatives of the sum of y, or of a loss, by the symbols in `requests`.

    A derivation too: its programs hold the forward and the adjoint equations. `objective` is the
    letter of what is differentiated: y, s for the sum of several outputs, or L for a loss.
    """

    objective: str = "s"
    loss: tuple[Loss, ...] | None = None
    requests: tuple[Request, ...] = ()
    backward: Program = field(kw_only=True)

    @property
    def steps(self) -> Program:
        """Forward and adjoint equations in matrices; outputs: the loss, if any, and the derivatives."""
        return self.backward

    def _is_compact(self, zoom: str) -> bool:
        """Never: delta_t needs an a_t to be the derivative of."""
        return False

    @property
    def derivatives(self) -> tuple[Expr, ...]:
        """The symbols of the derivatives, in the order of `requests`."""
        return self.steps.outputs[1:] if self.loss else self.steps.outputs

    def _select(self, program: Program) -> Program:
        return select(program, [letter_of(self.steps.letters, s) for s in self.derivatives], self.requests)

    def closed(self) -> tuple[Expr, ...]:
        """Each entry of each derivative as one expression in the inputs, activations by name."""
        self._steps_at("closed")
        program = self.program("scalar")
        return closed_form.expressions(replace(program, outputs=program.outputs[1:]) if self.loss else program)

    def lambdify(self) -> "NumericFunction":
        """g(x, weights) -> [dU, dV, ...]; with a loss, g(x, y_true, weights) -> (loss, [dU, dV, ...]).

        Order and shapes are those of `wrt`, by default of get_weights(), and the numbers those of
        GradientTape.
        """
        known = families(self.steps)
        outputs = [Output("loss")] if self.loss else []
        places = {source.symbol: place for place, source in enumerate(self.network.sources)}
        of_steps = {weight.symbol: weight.shape for weight in self.table if weight.letter.time is not None}
        pairs = [(one, symbol) for one in self.requests for symbol in one.symbols]
        for (one, symbol), derivative in zip(pairs, self.derivatives, strict=True):
            if one.step is None and symbol in places:
                shaped = Output("source", place=places[symbol])
            elif one.step is None and symbol in of_steps:
                shaped = Output("weight", of_steps[symbol])
            else:
                shaped = _output(derivative, self.steps, known)
            outputs.append(replace(shaped, step=one.step))
        program = prune(self.steps, self.steps.outputs)
        return self._function("gradient", program, tuple(outputs), partial(_assemble, self.requests, bool(self.loss)))


def _output(symbol: Expr, program: Program, known: dict[Expr, None]) -> Output:
    """How a symbol's value is shaped: by samples and steps, by samples, or as the weight it belongs to."""
    if symbol in known:
        return Output("family")
    letter, shape = letter_of(program.letters, symbol), shape_of(symbol)
    if letter.is_total:
        return Output("loss")
    if shape[0] == N:
        return Output("rows")
    return Output("weight", tuple(map(int, shape[-letter.axes :])))


def _only(results: list[Any]) -> Any:
    return results[0]


def _assemble(requests: Sequence[Request], loss: bool, results: list[Any]) -> Any:
    """The derivatives in the order of the requests, the parts of a Keras weight put together."""
    parts = iter(results[1:] if loss else results)
    found = [_whole(one, [next(parts) for _ in one.symbols]) for one in requests]
    return (results[0], found) if loss else found


def _whole(one: Request, parts: list[Any]) -> Any:
    return parts[0] if one.array is None else one.array.whole(parts)


def _is_joined(program: Program) -> bool:
    """Whether a row holds all time steps: it has entries only where their number is known."""
    return any(isinstance(item, Join | Cut) for item in program.equations)
