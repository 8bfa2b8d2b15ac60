"""What stands in an equation: matrices whose rows are samples. Imports `common`.

All other packages may import it.

- `identifiers`: the words of generated code
- `names`: how a symbol is called in code, in LaTeX and as text
- `nodes`: the node types beside SymPy's own
- `functions`: named functions of one and several numbers
- `activation_table`: a row for each of Keras' activations
- `row_functions`: the functions that its rows describe
- `activations`: activations by Keras' names and parameters
- `gates`: the order of the gates of Keras' cells
- `matrices`: sums and products that keep their order
- `shapes`: the shape of an expression, checked
- `entries`: an expression's entries as scalars
- `entry_counts`: how many symbols these hold
"""
