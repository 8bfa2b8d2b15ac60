"""The equations of layers, module for module beside `layers`.

- `table`: the rules of all layers
- `rule`: what a rule is
- `cells`: one step of each cell
- `rnn`: steps over time: masks, directions, initial states
- `core`: dense layers, embeddings, masks
- `activation`: activations as layers
- `reshaping`: entries moved
- `pooling`: one row of all time steps
- `regularization`: what only training knows
- `merging`: several inputs
"""
