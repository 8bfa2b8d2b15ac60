"""Models of other frameworks become graphs and weights. Imports `models` and what is below.

- `keras`: live Keras models, `.keras` and `.h5` files
"""
