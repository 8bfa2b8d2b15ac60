"""What the calls of a graph add to the forward program, one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr, Rational

from symrnn.expressions.matrices import add, concat, hadamard, scale, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import Differs, N
from symrnn.models.graph import Graph, Result
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.lengths import Lengths
from symrnn.models.naming import Numbering
from symrnn.models.network import ModelInput, State, Weight, WeightArray
from symrnn.programs.program import Equation, Statement, recurrence


@dataclass(frozen=True)
class Block:
    """A part of a Keras weight: its letter, and its first row (None for all rows) and column."""

    name: Name
    width: int
    start: int = 0
    row: int | None = None


def width(expr: Expr) -> int:
    """The number of columns of an expression."""
    return int(expr.shape[1])


@dataclass(frozen=True)
class Value:
    """What a call returns: its symbol, for a sequence the number of its steps, its mask, its logits.

    `normalized` says that its rows have a constant sum, as those of a softmax, or are what a mask leaves of such.
    """

    symbol: Expr
    steps: Expr | None = None
    mask: Expr | None = None
    logits: Expr | None = None
    normalized: bool = False

    @property
    def width(self) -> int:
        """The number of columns."""
        return width(self.symbol)


@dataclass
class ProgramBuilder:
    """What the calls have added so far; local to one call of `forward`."""

    graph: Graph
    labels: Numbering
    lengths: Lengths
    names: dict[Expr, Name] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    inputs: list[Expr] = field(default_factory=list)
    sequences: list[Expr] = field(default_factory=list)
    items: list[Statement] = field(default_factory=list)
    arrays: dict[tuple[int, tuple[str, ...], str], WeightArray] = field(default_factory=dict)
    sources: dict[int, ModelInput] = field(default_factory=dict)
    extra: list[ModelInput] = field(default_factory=list)
    finals: list[Expr] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    masks: dict[tuple[Expr, Expr | None], Expr] = field(default_factory=dict)
    values: dict[Result, Value] = field(default_factory=dict)

    def symbol(self, name: Name, *shape: object) -> Expr:
        """A symbol with this name.

        Raises:
            ValueError: another symbol of the model has it.
        """
        if name.code in self.taken:
            raise ValueError(f"the name {name.code} is that of another symbol of the model; take another in the cell")
        self.taken.add(name.code)
        made = variable(name.code, shape)
        self.names[made] = name
        return made

    def row(self, name: Name, columns: int, steps: Expr | None) -> Expr:
        """A symbol with one row per sample, and one element per time step where there are steps."""
        if steps is None:
            return self.symbol(name, N, columns)
        return self.symbol(replace(name, time="t", steps=steps.name), N, columns)

    def steps(self, result: Result) -> Expr | None:
        """The number of time steps of a result."""
        length = self.lengths[result]
        return None if length is None else length.steps

    def append(self, equations: Sequence[Equation], reads: Sequence[Expr], steps: Expr | None) -> None:
        """Equations of a layer without memory: once, or in every step of a sequence."""
        if steps is None:
            self.items += equations
            return
        stacked = [equation.lhs for equation in equations]
        self.items.append(recurrence(equations, reads, stacked=stacked, names=self.names, length=steps))

    def mask(self, x: Value, value: Expr) -> Expr:
        """The mask of a sequence: 1 where any feature differs from the value; one for each value."""
        if (x.symbol, value) not in self.masks:
            m = self.row(Name("m", layer=self.labels.mask(len(self.masks))), 1, x.steps)
            self.append([Equation(m, Differs(x.symbol, value))], [x.symbol], x.steps)
            self.masks[x.symbol, value] = m
        return self.masks[x.symbol, value]


@dataclass(frozen=True)
class CallScope:
    """The names of one call, or of a cell in it: weights of the layer, values of the call."""

    build: ProgramBuilder
    layer: int
    call: int
    unit: tuple[str, ...] = ()
    weights: str = ""
    values: str = ""
    steps: Expr | None = None

    def value(self, name: Name, columns: int) -> Expr:
        """A value of the call, with one row per sample."""
        return self.build.row(replace(name, layer=self.values), columns, self.steps)

    def weight(self, name: Name, keras: str, *shape: int) -> Expr:
        """A whole Keras weight: a kernel, or a bias, whose shape has one axis and whose symbol is a row."""
        return self.blocks(name, keras, shape, [Block(name, shape[-1])])[0]

    def blocks(self, name: Name, keras: str, shape: tuple[int, ...], blocks: Sequence[Block]) -> list[Expr]:
        """The parts of a Keras weight, which are made once and the same in every call of the layer."""
        key = self.layer, self.unit, keras
        if key not in self.build.arrays:
            self.build.arrays[key] = self._array(name, keras, shape, blocks)
        return [part.symbol for part in self.build.arrays[key].parts]

    def weight_of_steps(self, name: Name, keras: str, timesteps: int, columns: int) -> Expr:
        """A Keras weight with a row for each time step: a family of rows."""
        key = self.layer, self.unit, keras
        if key not in self.build.arrays:
            steps = "T" if self.steps is None else self.steps.name
            named = replace(name, layer=self.weights, time="t", steps=steps)
            made = self.build.symbol(named, 1, columns)
            place, shape = len(self.build.arrays), (timesteps, columns)
            part = Weight(made, named, self.layer, keras, shape, place)
            self.build.arrays[key] = WeightArray(made, named, self.layer, self.unit, keras, shape, (part,), place)
        return self.build.arrays[key].symbol

    def _array(self, name: Name, keras: str, shape: tuple[int, ...], blocks: Sequence[Block]) -> WeightArray:
        array = len(self.build.arrays)
        parts = []
        for block in blocks:
            own = (block.width,) if block.row is not None or len(shape) == 1 else (shape[0], block.width)
            named = replace(block.name, layer=self.weights, axes=len(own))
            made = self.build.symbol(named, *((1, *own) if len(own) == 1 else own))
            self.build.inputs.append(made)
            parts.append(Weight(made, named, self.layer, keras, own, array, block.start, block.row))
        named = replace(name, layer=self.weights, axes=len(shape))
        whole = parts[0].symbol if len(parts) == 1 else variable(named.code, (1, *shape) if len(shape) == 1 else shape)
        return WeightArray(whole, named, self.layer, self.unit, keras, shape, tuple(parts), array)


def _average(parts: Sequence[Expr]) -> Expr:
    return scale(Rational(1, len(parts)), add(*parts))


MERGES: dict[str | type, Callable[[Sequence[Expr]], Expr]] = {
    "concat": lambda parts: concat(*parts),
    "sum": lambda parts: add(*parts),
    "mul": lambda parts: hadamard(*parts),
    "ave": _average,
    Add: lambda parts: add(*parts),
    Multiply: lambda parts: hadamard(*parts),
    Average: _average,
    Concatenate: lambda parts: concat(*parts),
}


Values = list[Value]


def only(given: Values) -> Value:
    """The one input of a layer."""
    if len(given) != 1:
        raise ValueError(f"expected one input, got {len(given)}")
    return given[0]


def sequence(given: Values) -> Value:
    """The input of a layer that needs a sequence."""
    x = only(given)
    if x.steps is None:
        raise ValueError(
            "expected a sequence (samples, timesteps, features), but got the shape "
            f"(samples, {x.width}); a recurrent layer before it needs return_sequences=True"
        )
    return x


def sums_are_kept(merge: str | type | None, parts: Values) -> bool:
    """Whether what is merged has rows of a constant sum: sums of such, or such side by side."""
    return merge in ("sum", "concat", Add, Concatenate) and all(part.normalized for part in parts)


def mask_on(build: ProgramBuilder, place: int, x: Value) -> Expr | None:
    """The mask that goes on with the result: that of the call, or of its first tensor."""
    return given_mask(build, place, x) or x.mask


def given_mask(build: ProgramBuilder, place: int, x: Value) -> Expr | None:
    """The mask that a call names, with as many time steps as what it is called on."""
    given = build.graph.calls[place].mask
    if given is None:
        return None
    mask = build.values[given]
    if mask.symbol not in build.masks.values():
        raise NotImplementedError(
            "a mask that is the output of a layer is not supported; supported: an input of shape (timesteps,) that "
            "is nothing else, and NotEqual(value)(x)"
        )
    if mask.steps != x.steps:
        raise ValueError("mask: expected as many time steps as the input of the layer, got another number of them")
    return mask.symbol


def scope(build: ProgramBuilder, place: int, steps: Expr | None, unit: tuple[str, ...] = ()) -> CallScope:
    """The names of a call of a layer that is not recurrent."""
    labels, layer = build.labels, build.graph.calls[place].layer
    return CallScope(build, layer, place, unit, labels.weights(layer), labels.values(layer, place), steps)


def plain_value(build: ProgramBuilder, place: int, rhs: Expr, steps: Expr | None, name: str = "g") -> Expr:
    """The value of a call without weights, y where it is the model's only output."""
    label = build.labels.plain.get(place)
    named = Name("y") if label is None else Name(name, layer=label)
    return build.row(named, width(rhs), steps)


def fixed_timesteps(build: ProgramBuilder, x: Value) -> int:
    """The number of time steps of a sequence, for a layer whose weights have their shape from it."""
    count = next((one.timesteps for one in build.lengths.values() if one is not None and one.steps == x.steps), None)
    if count is None:
        raise ValueError("expected a fixed number of time steps; give timesteps")
    return count
