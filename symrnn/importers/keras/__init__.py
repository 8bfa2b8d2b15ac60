"""Keras models, read without Keras.

- `operations`: Keras' functions on tensors that are layers
- `reader`: a live model or a file as a graph and weights
- `archive`: `.keras` files
- `legacy_h5`: `.h5` files
- `excerpts`: what is handed to Keras of a config
- `heaps`: where the texts of an HDF5 file are
- `keras2`: what Keras 2 wrote otherwise
- `layer_config`: one layer's arguments
- `call_config`: one call of a layer
- `graph_config`: a config as a graph
- `masks`: which masks Keras' operations mean
"""
