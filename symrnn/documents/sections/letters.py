r"""The letters of other texts and frameworks, beside those here.

Samples are rows here and in Keras, so that x_t U is a product; texts with columns write U^T x_t, and
every matrix of theirs is the transpose of ours.

Sources: Keras, keras/src/layers/rnn (simple_rnn.py, lstm.py, gru.py); PyTorch, torch.nn.RNN, LSTM, GRU;
ONNX operators RNN, LSTM, GRU; Goodfellow, Bengio, Courville, Deep Learning (2016), section 10.2; Zhang
and others, Dive into Deep Learning, chapter 9 (d2l); Karpathy, min-char-rnn.py (2015); Pascanu, Mikolov,
Bengio, On the difficulty of training recurrent neural networks (2013).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symrnn.documents.blocks import Block, Cell, Paragraph, Table
from symrnn.documents.example import Example
from symrnn.documents.inline import prose
from symrnn.models.layers.rnn import GRUCell, LSTMCell
from symrnn.models.layers.table import cells_of


@dataclass(frozen=True)
class Notation:
    """A text's names: by our letter, its own; how a sample lies, and the number of its first time step."""

    name: str
    letters: Mapping[str, str]
    sample: str
    first: str


LETTERS = ("U", "V", "b_h", "W", "b_o", "a_t", "h_t", "y")
TEXTS = (
    Notation(
        "Keras",
        {
            **{
                "U": "`kernel`",
                "V": "`recurrent_kernel`",
                "b_h": "`bias`",
                "W": "Dense `kernel`",
                "b_o": "Dense `bias`",
            },
            **{"a_t": "–", "h_t": "state", "y": "output"},
        },
        *("row", "0"),
    ),
    Notation(
        "PyTorch",
        {
            **{"U": r"`weight_ih`$^{\mathsf T}$", "V": r"`weight_hh`$^{\mathsf T}$", "b_h": "`bias_ih` + `bias_hh`"},
            **{
                "W": r"Linear `weight`$^{\mathsf T}$",
                "b_o": "Linear `bias`",
                "a_t": "–",
                "h_t": "$h_t$",
                "y": "output",
            },
        },
        *("row", "0"),
    ),
    Notation(
        "ONNX",
        {
            **{"U": r"`W[0]`$^{\mathsf T}$", "V": r"`R[0]`$^{\mathsf T}$", "b_h": "`B[0,:n]` + `B[0,n:]`"},
            **{"W": "a node of its own", "b_o": "a node of its own", "a_t": "–", "h_t": "`Ht`", "y": "`Y`"},
        },
        *("row", "0"),
    ),
    Notation(
        "Goodfellow et al.",
        {
            **{"U": r"$U^{\mathsf T}$", "V": r"$W^{\mathsf T}$", "b_h": r"$b^{\mathsf T}$", "W": r"$V^{\mathsf T}$"},
            **{"b_o": r"$c^{\mathsf T}$", "a_t": "$a^{(t)}$", "h_t": "$h^{(t)}$", "y": "$o^{(t)}$"},
        },
        *("column", "1"),
    ),
    Notation(
        "d2l",
        {
            **{"U": r"$W_{hx}^{\mathsf T}$, $W_{xh}$", "V": r"$W_{hh}^{\mathsf T}$, $W_{hh}$", "b_h": "–, $b_h$"},
            **{"W": r"$W_{qh}^{\mathsf T}$, $W_{hq}$", "b_o": "–, $b_q$", "a_t": "–", "h_t": "$h_t$", "y": "$o_t$"},
        },
        *("column, row", "1"),
    ),
    Notation(
        "min-char-rnn",
        {
            **{"U": r"`Wxh`$^{\mathsf T}$", "V": r"`Whh`$^{\mathsf T}$", "b_h": r"`bh`$^{\mathsf T}$"},
            **{"W": r"`Why`$^{\mathsf T}$", "b_o": r"`by`$^{\mathsf T}$", "a_t": "–", "h_t": "`hs[t]`", "y": "`ys[t]`"},
        },
        *("column", "0"),
    ),
    Notation(
        "Pascanu et al.",
        {
            **{
                "U": r"$W_{in}^{\mathsf T}$",
                "V": r"$W_{rec}^{\mathsf T}$",
                "b_h": r"$b^{\mathsf T}$",
                "W": "–",
                "b_o": "–",
            },
            **{"a_t": "$x_t$", "h_t": r"$\sigma(x_t)$", "y": "–"},
        },
        *("column", "1"),
    ),
)
"""Where two are given for d2l, the first is of its section on backpropagation through time, the second of its "
"chapter."""

GATES: Mapping[type, tuple[str, Sequence[tuple[str, str, str]]]] = {
    LSTMCell: (
        "The gates of the LSTM, in the order of their blocks",
        (
            ("Keras", "$i, f, c, o$", "one bias"),
            ("PyTorch", "$i, f, g, o$", "two biases, added; its $g$ is our $k_t$"),
            ("ONNX", "$i, o, f, c$", "two biases, added"),
            ("d2l", "$I, F, O$, then $\\tilde C$", "one bias each; its $\\tilde C_t$ is our $k_t$"),
            ("here", "$i, f, c, o$", "as in Keras; candidate $k_t$, and $q_t = \\tanh c_t$"),
        ),
    ),
    GRUCell: (
        "The gates of the GRU, in the order of their blocks",
        (
            ("Keras", "$z, r, h$", "$h_t = z_t h_{t-1} + (1 - z_t) k_t$; two biases if `reset_after`"),
            ("PyTorch", "$r, z, n$", "$h_t = z_t h_{t-1} + (1 - z_t) n_t$; two biases, as `reset_after`"),
            (
                "ONNX",
                "$z, r, h$",
                "$h_t = z_t h_{t-1} + (1 - z_t) \\tilde h_t$; `linear_before_reset` is `reset_after`",
            ),
            ("Cho et al.", "–", "$h_t = z_t h_{t-1} + (1 - z_t) \\tilde h_t$; the reset before the product"),
            (
                "d2l",
                "$R, Z$, then $\\tilde H$",
                "$h_t = z_t h_{t-1} + (1 - z_t) \\tilde h_t$; the reset before the product",
            ),
            ("here", "$z, r, h$", "as in Keras; candidate $k_t$"),
        ),
    ),
}
"""How other texts have the gates: order, and what differs. Cho et al. (2014), arXiv 1406.1078, eq. (7)."""


def blocks(example: Example) -> tuple[Block, ...]:
    """The letters of other texts and frameworks, and for each kind of cell with gates their order."""
    kinds = dict.fromkeys(type(cell) for cell in cells_of(example.derivation.network.graph.layers))
    gates = [block for kind in kinds if kind in GATES for block in _gates(*GATES[kind])]
    return (_letters(LETTERS[:5]), _letters(LETTERS[5:], ends=True), Paragraph(_BEWARE, "Beware:"), *gates)


def _gates(title: str, rows: Sequence[tuple[str, str, str]]) -> tuple[Block, ...]:
    """How each text orders the gates of a cell, and what differs."""
    found = tuple((name, prose(order), prose(what)) for name, order, what in rows)
    return (Paragraph(prose(f"{title}:")), Table(("", "order", "equations and biases"), found))


def _letters(letters: Sequence[str], ends: bool = False) -> Table:
    """What other texts call these letters; at the end how a sample lies and where time begins."""
    more: tuple[Cell, ...] = ("sample", prose("first $t$")) if ends else ()
    head = ("here", *(prose(f"${letter}$") for letter in letters), *more)
    rows = [
        (t.name, *(prose(t.letters[letter]) for letter in letters), *((t.sample, t.first) if ends else ()))
        for t in TEXTS
    ]
    return Table(head, tuple(rows))


_BEWARE = prose(
    r"the $V$ and $W$ of Goodfellow et al. are our $W$ and $V$, each transposed. The state $x_t$ of Pascanu et al. is "
    r"the sum before the activation, our $a_t$. With samples as columns every product is reversed: our $\delta_{t+1} "
    r"V^{\mathsf T}$ is $W^{\mathsf T}$ times a column there, and the factors of $\partial h_T / \partial h_t$ stand "
    r"in the opposite order of time."
)
