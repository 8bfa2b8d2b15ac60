"""A description of a network becomes a forward program. Imports `programs` and what is below.

All packages but `typesetting` and those below may import it.

- `layers`: frozen descriptions under Keras' names
- `custom_cell`: a cell of the user's own
- `cell_expressions`: its expressions, as nodes
- `cell_names`: what its symbols may be called
- `layer_order`: the order of Keras' layers and weights
- `graph`: calls of layers
- `naming`: letters and numbers of a graph
- `lengths`: the numbers of time steps of a graph
- `network`: the forward program, and what belongs to it
- `builder`: what a call adds to the program
- `equations`: the equations of each layer
- `forward_pass`: call after call
- `losses`: losses as equations
- `sampling`: random inputs and targets that suit a network
- `lecture`: the network of a lecture notebook
"""
