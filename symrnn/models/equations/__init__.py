"""The equations of layers.

- `cells`: one step of each cell
- `rnn`: steps over time: masks, directions, initial states
"""
