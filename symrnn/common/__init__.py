"""Helpers that know nothing of symrnn. Imports nothing of it; everything may import it.

- `decimals`: numbers as decimals that read back exactly
- `display`: how values show themselves in Jupyter
- `fields`: the fields of a value checked by their annotations
- `terminal`: text that is shown in a terminal
- `limits`: how large results may be
- `errors`: where a refusal happened, and missing libraries
"""
