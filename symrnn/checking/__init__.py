"""A derivation beside Keras. Imports `derivations` and what is below.

`documents`, `interface`, `cli`, `sphinxext` and `symrnn` itself may import it.

- `checks`: the check
- `report`: what it found
- `tolerance`: what rounding allows
- `perturbation`: programs off by rounding
- `objective`: what Keras differentiates
- `recording`: what Keras' layers were given and gave
- `keras_models`: live models, built or loaded
"""
