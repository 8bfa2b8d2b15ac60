"""A program as source code, one module for each kind.

- `numpy_source`: a program as NumPy
- `numpy_expressions`: an expression as NumPy
- `math_source`: a scalar program as floats
"""
