"""A model's derivation, and its gradient, at four zooms."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Expr, Matrix

from symrnn.common.display import Displayed
from symrnn.common.errors import cut_repr
from symrnn.common.limits import COMPOSED, SYMBOLS
from symrnn.derivations.jacobian import Jacobian, jacobian_of
from symrnn.derivations.wrt import Request, names_in, of_array, request, select
from symrnn.expressions.functions import define
from symrnn.expressions.nodes import N
from symrnn.expressions.shapes import shape_of
from symrnn.models.layers.core import check_size
from symrnn.models.losses import Loss, losses_of, with_loss, with_sum
from symrnn.models.network import Network, Weight
from symrnn.programs import closed_form
from symrnn.programs.adjoint import backprop
from symrnn.programs.expansion import expand
from symrnn.programs.magnitudes import check_count, entry_symbols, symbol_count, symbols_in
from symrnn.programs.program import Cut, Equation, Join, Program
from symrnn.programs.transforms import all_symbols, name_of, named_symbols
from symrnn.programs.unrolling import unroll
from symrnn.typesetting import equations
from symrnn.typesetting.styles import LATEX, TEXT

if TYPE_CHECKING:  # NumPy is loaded where numbers are computed: a derivation needs none
    import numpy as np

ZOOMS = ("step", "unrolled", "scalar", "closed")
_EXACT = 15_000
"""Up to so many symbols a closed form is measured by its entries, and by its matrices beyond."""
_FEWER = {
    "unrolled": "fewer time steps, or zoom 'step'",
    "scalar": "fewer time steps or samples, or zoom 'unrolled' or 'step'",
    "closed": "fewer time steps, or zoom 'unrolled' or 'step'",
}
"""The ways round what is too large."""
ELIDED = 10
"""Of more time steps not each is written out where nobody asks for it."""


@dataclass(frozen=True)
class Derivation(Displayed):
    """A model's forward equations, and everything that follows from them.

    `weights` are the arrays of the Keras model it was derived from, if any, and `dtype` its type;
    `file` is where that was read, with the number of time steps that was asked for. `regularizers`
    names the terms that Keras' loss has in training beside the loss of the outputs; no loss here has them.
    """

    network: Network
    weights: "tuple[np.ndarray, ...] | None" = None
    dtype: str = "float32"
    file: tuple[str, int | None] | None = field(default=None, compare=False)
    regularizers: tuple[str, ...] = field(default=(), compare=False)

    @property
    def timesteps(self) -> int | None:
        """The number of time steps of the first input that is a sequence, None where it is open."""
        return next(iter(self.network.timesteps.values()), None)

    @property
    def is_open(self) -> bool:
        """Whether the number of time steps of an input is open."""
        return None in self.network.timesteps.values()

    @property
    def is_short(self) -> bool:
        """Whether the numbers of time steps are known, and so few that each step is written out."""
        return all(number is not None and number <= ELIDED for number in self.network.timesteps.values())

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
            ValueError: an unknown zoom; the number of time steps is open, other than at "step"; or what is
                written out has more than `SYMBOLS` symbols, which are counted before.
        """
        if zoom not in ZOOMS[:3]:
            raise ValueError(f"unknown zoom {cut_repr(zoom)}; known: {', '.join(ZOOMS[:3])}")
        if samples != "N" or zoom == "scalar":
            check_size("samples", samples, f"zoom {cut_repr(zoom)}")
        scalar = zoom == "scalar" or (self.is_scalar and samples == 1)
        if zoom == "step":
            return expand(self.steps) if scalar and not _is_joined(self.steps) else self.steps
        lengths = self._steps_at(zoom)
        check_count(self.count("scalar" if scalar else zoom, samples), SYMBOLS, f"zoom {cut_repr(zoom)}", _FEWER[zoom])
        if scalar and _is_joined(self.steps):
            return self._select(expand(unroll(self.steps, lengths), int(samples)))
        return self._select(unroll(expand(self.steps, int(samples)) if scalar else self.steps, lengths))

    def _steps_at(self, zoom: str) -> dict[Expr, int]:
        """The numbers of time steps, which all zooms but "step" need."""
        known = {steps: number for steps, number in self.network.timesteps.items() if number is not None}
        if self.is_open:
            raise ValueError(
                f"zoom '{zoom}': the model leaves the number of time steps open: give timesteps, or take zoom 'step'"
            )
        return known

    def count(self, zoom: str = "unrolled", samples: int | str = 1) -> int:
        """How many symbols the equations have at zoom "step", "unrolled" or "scalar", which is not built for it.

        At "scalar" each entry counts, at the others each matrix. A length that is open counts as one step.
        """
        known = {steps: number for steps, number in self.network.timesteps.items() if number is not None}
        of_one = entry_symbols(int(samples)) if zoom == "scalar" else symbols_in
        return symbol_count(self.steps, {} if zoom == "step" else known, of_one)

    def _least_size(self) -> tuple[int, int]:
        """A bound from below of the operations and the nesting of a closed form; of one that is soon built 0.

        Raises:
            ValueError: even without the entries it would be too large.
        """
        lengths = self._steps_at("closed")
        check_count(self.count("unrolled"), COMPOSED, "closed form", _FEWER["closed"])
        if self.count("scalar") <= _EXACT:
            return 0, 0
        return closed_form.least_size(self._select(unroll(self.steps, lengths)))

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
        closed_form.check_expression(*Derivation(self.network)._least_size())
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
        closed_form.check_expression(*self._least_size())
        return closed_form.expressions(self.program("scalar"))

    def latex(self, zoom: str = "unrolled", samples: int | str = 1) -> str:
        """One complete align* block for "step", "unrolled", "scalar" or "closed".

        It is for one sample; `samples="N"` prints the rows of a batch, with the sums over them.

        Raises:
            ValueError: an unknown zoom, open time steps, or a closed form above 2 million characters.
        """
        return equations.render(self.display(zoom, samples), LATEX)

    def text(self, zoom: str = "unrolled", samples: int | str = 1) -> str:
        """The same lines for a terminal."""
        return equations.render(self.display(zoom, samples), TEXT)

    def display(self, zoom: str = "unrolled", samples: int | str = 1) -> equations.Display:
        """What `latex` and `text` print, as a value."""
        if zoom not in ZOOMS:
            raise ValueError(f"unknown zoom {cut_repr(zoom)}; known: {', '.join(ZOOMS)}")
        if zoom == "closed":
            closed_form.check_text(self._least_size()[0])
        program = self.program("scalar" if zoom == "closed" else zoom, samples)
        return equations.Display(program, self._is_compact(zoom), zoom == "closed", samples)

    def _is_compact(self, zoom: str) -> bool:
        """Whether a_t goes into h_t = f(a_t): not where its sum is written out entry by entry."""
        return self.is_scalar or zoom != "scalar"

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
        own = (self.network, self.weights, self.dtype, self.file, self.regularizers)
        return Gradient(*own, objective, losses, requests, backward=backward)

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        """The Jacobian of one quantity by an earlier one, by name: `jacobian("h_2", "h_0")`.

        With rows as samples J_ij is the derivative of the column j of `of` by the column i of `wrt`.

        Raises:
            ValueError: a name that is no symbol, a whole family, or a weight.
        """
        return jacobian_of(self.network, of, wrt)


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

    def gradient(self, loss: Any = None, wrt: Iterable[Any] | None = None) -> "Gradient":
        """Refused: it would be the first derivatives again.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "gradient: the derivatives of derivatives are not supported; supported: the gradient of a derivation"
        )

    def _select(self, program: Program) -> Program:
        return select(program, [name_of(self.steps.names, s) for s in self.derivatives], self.requests)

    def closed(self) -> tuple[Expr, ...]:
        """Each entry of each derivative as one expression in the inputs, activations by name."""
        closed_form.check_expression(*self._least_size())
        program = self.program("scalar")
        return closed_form.expressions(replace(program, outputs=program.outputs[1:]) if self.loss else program)


def _is_joined(program: Program) -> bool:
    """Whether a row holds all time steps: it has entries only where their number is known."""
    return any(isinstance(item, Join | Cut) for item in program.equations)
