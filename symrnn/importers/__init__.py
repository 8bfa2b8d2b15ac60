"""Models of other frameworks become graphs and weights. Imports `models` and what is below.

`derivations`, `checking`, `documents` and `interface` may import it.

- `formats`: which importer reads a model
- `imported`: what every importer gives
- `keras`: live Keras models, `.keras` and `.h5` files
"""
