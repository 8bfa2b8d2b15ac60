"""A program is a value, and functions from programs to programs. Imports `expressions` and what is below.

All packages but `expressions` and `common` may import it.

- `program`: Equation, Recurrence, Program, and its check
- `dataflow`: which equation reads what, and how
- `transforms`: pruning, renaming, everything substituted
- `unrolling`: time written out
- `expansion`: matrices written out
- `initial_states`: states before the first step as symbols
- `magnitudes`: how many symbols these write, counted before
- `closed_form`: everything substituted, within limits
- `rules`: the vector-Jacobian product of each node
- `sweep`: the bookkeeping of one reverse sweep
- `adjoint`: what the sweep does with each item
- `adjoint_names`: what its symbols are called
"""
