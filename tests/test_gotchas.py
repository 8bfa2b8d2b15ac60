"""Where a naive re-implementation deviates from Keras: the gotchas of Keras 3.15.1, a test for each, by its number.

Each test is at a point where the naive convention gives another number, asserts that it does, and that symrnn gives
Keras', in float64. What cannot be expressed, as symrnn derives what a model computes at inference, and its gradients:

- 15, steps of Adam and RMSprop, and the learning rate of 24: symrnn has no optimizers.
- 18, `sample_weight`: no weight of a sample is an input of a derivation; masks are tested.
- 25, `use_cudnn` and 27, masks in cuDNN: need a GPU.
- 26, masks in Keras 3.16: another version; tests of the reader have its refusal.
"""

import re

import numpy as np
import pytest
from scipy.special import expit as sigmoid

import symrnn
from symrnn.functions import activations, define
'''
