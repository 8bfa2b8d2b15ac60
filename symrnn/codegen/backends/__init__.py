"""A program as source code, one module for each kind.

- `numpy_source`: a program as NumPy
- `numpy_expressions`: an expression as NumPy
- `lifetimes`: how long its arrays are kept
- `math_source`: a scalar program as floats
- `python_code`: Python code as a function
- `table`: the ways to compute a program, and which runs when
"""
