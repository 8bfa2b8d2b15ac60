"""The Sphinx extension `symrnn.sphinxext`. Stands beside the command line, above everything else.

- `directive`: the directive `symrnn`, and `setup`, by which Sphinx loads it
- `options`: what the directive shows of a derivation
- `nodes`: blocks of a document as nodes of docutils
- `displays`: a display as rows and cells
"""

from symrnn.sphinxext.directive import setup

__all__ = ["setup"]
