"""The Sphinx extension `symrnn.sphinxext`. Stands beside the command line, above everything else."""

from symrnn.sphinxext.directive import setup

__all__ = ["setup"]
