from .checking.report import Report as Report
from .expressions.activations import activations as activations
from .interface import Derivation as Derivation, Gradient as Gradient, check as check, derive as derive
from .models.custom_cell import Cell as Cell
from .models.graph import Model as Model
from .models.layers.activation import (
    ELU as ELU,
    Activation as Activation,
    LeakyReLU as LeakyReLU,
    PReLU as PReLU,
    ReLU as ReLU,
    Softmax as Softmax,
)
from .models.layers.core import (
    Dense as Dense,
    Embedding as Embedding,
    Input as Input,
    InputLayer as InputLayer,
    Masking as Masking,
    NotEqual as NotEqual,
    TimeDistributed as TimeDistributed,
)
from .models.layers.merging import Add as Add, Average as Average, Concatenate as Concatenate, Multiply as Multiply
from .models.layers.pooling import (
    GlobalAveragePooling1D as GlobalAveragePooling1D,
    GlobalMaxPooling1D as GlobalMaxPooling1D,
)
from .models.layers.regularization import Dropout as Dropout
from .models.layers.reshaping import Flatten as Flatten, RepeatVector as RepeatVector
from .models.layers.rnn import (
    GRU as GRU,
    LSTM as LSTM,
    RNN as RNN,
    Bidirectional as Bidirectional,
    GRUCell as GRUCell,
    LSTMCell as LSTMCell,
    SimpleRNN as SimpleRNN,
    SimpleRNNCell as SimpleRNNCell,
)
from .models.layers.table import Sequential as Sequential
from .models.losses import Loss as Loss

__version__: str
