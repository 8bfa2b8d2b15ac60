"""Products and sums of gates computed as one.

- `gates`: the gates of a cell as one product
- `products`: products and sums put together
- `blocks`: deltas written side by side
"""
