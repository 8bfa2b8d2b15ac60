"""What follows from a model. Imports `codegen`, `importers`, `typesetting` and what is below.

`checking`, `documents`, `interface`, `cli` and `sphinxext` may import it.

- `derivation`: Derivation and Gradient, at four zooms
- `numbers`: their equations as functions of numbers
- `wrt`: what to differentiate by
- `jacobian`: one quantity by an earlier one
- `contributions`: the terms of a gradient's sum over t
"""
