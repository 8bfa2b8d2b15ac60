"""The network of the lecture notebook that symrnn began with: SimpleRNN(1) and Dense(1) on three time steps."""

from symrnn.models.layers.core import Dense
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential

NOTEBOOK = Sequential([SimpleRNN(1), Dense(1)], input_shape=(3, 1))
"""Three time steps, one feature, one unit, one output."""
NOTEBOOK_WEIGHTS = ([[1.4501959]], [[-1.0]], [0.0], [[0.5759429]], [0.0])
NOTEBOOK_X = [1.0, 2.0, 3.0]
"""The notebook's weights and input; with them y is 0.5746256."""
