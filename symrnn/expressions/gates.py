"""The order of the gates of Keras' cells: that of the blocks in their weights.

In LSTM c is the candidate k, in GRU h is. Sources: keras/src/layers/rnn/lstm.py and gru.py.
"""

GATES = {"LSTM": "ifco", "GRU": "zrh"}
