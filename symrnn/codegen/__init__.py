"""Programs as fast functions of numbers. Imports `models` and what is below.

`derivations`, `checking`, `documents` and `interface` may import it.

- `signature`: what a function takes and gives
- `arguments`: x, y_true and weights, checked and cast
- `function`: compiled, called, results shaped
- `schedule`: before, in and after the loop
- `slices`: parts of a matrix side by side
- `scalar_code`: scalar expressions as Python
- `selection`: choices in the place of products with a mask
- `fusion`: gate products as one
- `backends`: a program as source
"""
