"""The derivation for a general t and rows of samples, and the reasons for its form."""

from dataclasses import replace

from symrnn.documents.blocks import Block, Equations, Formulas, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.inline import prose
from symrnn.programs.transforms import name_of
from symrnn.typesetting.equations import Display, lines_of
from symrnn.typesetting.layout import DisplayRow, rows
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM


def blocks(example: Example) -> tuple[Block, ...]:
    """Any number of units and steps: matrices, and why they are transposed, multiplied and summed as they are."""
    if not example.gradient.network.arrays:
        return ()
    display = example.gradient.display("step", "N")
    found: list[Block] = [
        Paragraph(_OF_ROWS),
        Equations(replace(display, part="forward")),
        Equations(replace(display, part="adjoint")),
        Paragraph(_BIAS, "The bias."),
        Paragraph(_TRANSPOSE, "Why the transpose."),
        Formulas(_ENTRIES),
        Paragraph(_SHAPES),
        Paragraph(_ELEMENTWISE, "Why the elementwise product."),
        Paragraph(_SUM, "Why the sum over time."),
    ]
    return (*found, *_signal(example))


_OF_ROWS = prose(
    "Now $N$ samples, one to a row, any number of features, units and time steps $t = 0, \\dots, T-1$. Samples are "
    "rows, as in Keras, so the weights stand on the right."
)
_BIAS = prose(
    r"A bias is added to every row: $\mathbf 1$ is a column of $N$ ones, and in the derivative $\mathbf 1^{\mathsf T}$ "
    r"sums over the samples."
)
_TRANSPOSE = prose(
    r"Let $P = H V$, that is $p_{bj} = \sum_k h_{bk} v_{kj}$. Entry $k$ of sample $b$ reaches every $p_{bj}$, each "
    r"with slope $v_{kj}$:"
)
_ENTRIES = (
    DisplayRow((r"\bar h_{bk}", r"= \sum_j \bar p_{bj} v_{kj} = (\bar P V^{\mathsf T})_{bk}")),
    DisplayRow((r"\bar v_{kj}", r"= \sum_b h_{bk} \bar p_{bj} = (H^{\mathsf T} \bar P)_{kj}"), gap=3),
)
_SHAPES = prose(
    r"Forward the sum runs over the first index of $V$, backward over the second: that is the transpose. The shapes "
    r"leave no other choice: an adjoint has the shape of its quantity, and $\bar P$ has the shape of $P$."
)
_ELEMENTWISE = prose(
    r"$h_{bj} = f(a_{bj})$ contains no other entry of $a$. So the Jacobian is diagonal, and to multiply a row by a "
    r"diagonal matrix is to multiply entry by entry, which $\odot$ says. Books write the same as "
    r"$\mathrm{diag}(f'(a))$."
)
_SUM = prose(
    r"The same weight stands in every time step. With copies $U_{(0)}, \dots, U_{(T-1)}$, each used once, copy $t$ "
    r"receives $x_t^{\mathsf T} \delta_t$; setting all copies equal adds their derivatives."
)


def _signal(example: Example) -> tuple[Block, ...]:
    """The Jacobian of one state by the one before, where the model has plain states."""
    derivation = example.derivation
    if derivation.is_open or not derivation.network.states or (derivation.timesteps or 0) < 2:
        return ()
    state = name_of(derivation.network.program.names, derivation.network.states[0].symbol)
    later, earlier = (1, 0) if not derivation.network.states[0].reverse else (0, 1)
    found = derivation.jacobian(state.at(later).code, state.at(earlier).code)
    text = prose(
        "How much a state moves with the one before is a Jacobian, with rows as here; over several steps it is the "
        "product of these, in the order of time:"
    )
    program = found.program()
    rows_of_jacobian = rows(lines_of(Display(program), LATEX)[-1:], ROOM)
    return (Paragraph(text, "How far the signal goes."), Formulas(tuple(rows_of_jacobian)))
