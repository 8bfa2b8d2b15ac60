"""Derivations as documents. Imports `checking`, `diagrams` and what is below.

`interface`, `cli` and `sphinxext` may import it.

- `inline`: text with formulas in it
- `blocks`: paragraphs, tables, sections, an article
- `example`: a derivation with one sample and all its numbers
- `figures`: pictures as figures
- `sections`: one module for each section
- `writers`: one module for each format
- `document`: an article that can be saved
- `composing`: sections chosen and put together
- `jupyter`: what Jupyter shows
"""
