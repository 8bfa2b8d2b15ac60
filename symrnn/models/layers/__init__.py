"""Layers as values, with Keras' names and arguments.

A layer is called on tensors, as in Keras: `LSTM(4)(x)`. A layer that is called twice is shared: its
weights are one. `table.LAYERS` and `rnn.CELLS` are the tables of what symrnn knows.

- `core`: what all layers have; inputs, dense layers, embeddings, masks
- `rnn`: cells and recurrent layers
- `activation`: activations as layers
- `reshaping`: entries moved
- `pooling`: one row of all time steps
- `regularization`: what only training knows
- `merging`: several inputs
- `table`: the layers that symrnn knows, and layers one after the other
"""
