"""What users hold: derivations that can be computed with, drawn and written down, and the check.

What is heavy, NumPy, the equations of layers, the readers of files, pictures and documents, is
imported where it is first used, so that `from symrnn import derive` costs little more than SymPy. This module
stands above all others, so that such an import hides no circle.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symrnn.common.display import Displayed, mimebundle
from symrnn.derivations import derivation, jacobian
from symrnn.models.graph import Graph, Model, graph_of, with_timesteps
from symrnn.models.layers.core import check_size
from symrnn.models.layers.table import Sequential
from symrnn.models.lecture import NOTEBOOK
from symrnn.models.losses import Loss

if TYPE_CHECKING:
    import numpy as np

    from symrnn.checking.report import Report
    from symrnn.codegen.function import JacobianFunction, NumericFunction
    from symrnn.diagrams.picture import Picture
    from symrnn.documents.document import Document


def derive(model: Any = None, timesteps: int | None = None) -> "Derivation":
    """The derivation of a model: a `Sequential`, a `Model`, a Keras model, or the path of its file.

    With no model it is the notebook's: SimpleRNN(1) and Dense(1) on three time steps. `timesteps`
    sets the number of time steps of a model that leaves it open.

    Raises:
        ValueError: something about the model, or `timesteps` contradicts it.
        NotImplementedError: the model has something that symrnn does not support; it is named.
        FileNotFoundError: there is no such file.
    """
    from symrnn.models.forward_pass import forward

    if timesteps is not None:
        check_size("timesteps", timesteps, "derive")
    model = NOTEBOOK if model is None else model
    if isinstance(model, Sequential | Model | Graph):
        return Derivation(forward(with_timesteps(graph_of(model), timesteps)))
    from symrnn.importers import formats

    if not formats.is_readable(model):
        expected = f"a Sequential, a Model, {formats.LIVE_MODELS} or a path"
        raise ValueError(f"derive: expected {expected}, got {type(model).__name__}")
    imported = formats.read_model(model, timesteps)
    origin = (os.fspath(model), timesteps) if isinstance(model, str | os.PathLike) else None
    return Derivation(forward(imported.graph), imported.weights, imported.dtype, origin, imported.regularizers)


class Derivation(derivation.Derivation):
    """A model's forward equations, and everything that follows from them.

    `weights` are the arrays of the Keras model it was derived from, if any, and `dtype` its type;
    `file` is where that was read, with the number of time steps that was asked for.
    """

    def gradient(self, loss: Any = None, wrt: Iterable[Any] | None = None) -> "Gradient":
        """The derivatives of the sum of y, or of a loss, by the weights, or by the symbols in `wrt`.

        `loss` is a name or a `Loss`, one for all outputs or a list with one for each; with several
        outputs the objective is the sum over all of them.

        `wrt` takes names or symbols: weights, "x", "x_0", an initial state, and what the program
        computes, such as "h_1"; "h" is the whole sequence of states.

        Raises:
            ValueError: an unknown loss, or a name in `wrt` that is not a symbol of the program.
        """
        return Gradient(**vars(super().gradient(loss, wrt)))

    def jacobian(self, of: str, wrt: str) -> "Jacobian":
        """The Jacobian of one quantity by an earlier one, by name: `jacobian("h_2", "h_0")`.

        With rows as samples J_ij is the derivative of the column j of `of` by the column i of `wrt`.

        Raises:
            ValueError: a name that is no symbol, a whole family, or a weight.
        """
        return Jacobian(**vars(super().jacobian(of, wrt)))

    def lambdify(self) -> "NumericFunction":
        """f(x, weights) -> y, as model.predict; its `source` is the code that runs.

        x is (N, timesteps, features), or one sample (timesteps, features), and then y has no batch
        axis; with several inputs, such as initial states, it is the list that Keras takes.
        `weights` is the list of get_weights(), or a mapping by symbol name. A model with several
        outputs, or with a state to keep, gives a list.
        """
        from symrnn.derivations import numbers

        return numbers.lambdify(self)

    def values(self, x: Any, *rest: Any) -> "dict[str, np.ndarray]":
        """Every symbol's value by name, h_0, h_1, ...; the arguments are those of `lambdify()`."""
        from symrnn.derivations import numbers

        return numbers.values(self, x, *rest)

    def picture(
        self, rolled: bool = False, backward: bool = False, numbers: Mapping[str, float] | None = None
    ) -> "Picture":
        """The network drawn: unrolled in time, rolled up with its loop, or with the way back.

        `numbers` are values of the adjoints by name, such as `dh_0`, for the way back.

        Raises:
            ValueError: `rolled` together with `backward`, or `numbers` without `backward`.
        """
        from symrnn.diagrams.picture import picture_of

        return picture_of(self.network, rolled, backward, numbers)

    def document(
        self,
        sections: Iterable[str] | None = None,
        x: Any = None,
        y_true: Any = None,
        weights: Any = None,
        loss: Any = None,
        check: bool | None = None,
        seed: int = 0,
        title: str | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> "Document":
        """A document on this model: `d.document().save("rnn.pdf")`.

        `sections` are chosen by name, in the order in which they are given; their names are those of
        `documents.sections.table.SECTIONS`, and by default it has all of them. Its numbers are those of
        one sample x, of y_true where there is a loss, and of the weights: by default the model's own,
        the notebook's, or drawn by the seed. The check runs where Keras is installed, unless `check`
        says otherwise. `progress` is told what takes long.

        Raises:
            ValueError: a section that there is not, x, y_true or weights that do not fit, several samples.
            ImportError: a section needs something that is missing; the message says what to install.
        """
        from symrnn.documents.composing import DocumentOptions, document

        options = DocumentOptions(
            sections=sections, x=x, y_true=y_true, weights=weights, loss=loss, check=check, seed=seed, title=title
        )
        return document(self, options, progress)


class Gradient(Derivation, derivation.Gradient):
    """The derivatives of the sum of y, or of a loss, by the symbols in `requests`.

    A derivation too: its programs hold the forward and the adjoint equations. `objective` is the
    letter of what is differentiated: y, s for the sum of several outputs, or L for a loss.
    """

    def lambdify(self) -> "NumericFunction":
        """g(x, weights) -> [dU, dV, ...]; with a loss, g(x, y_true, weights) -> (loss, [dU, dV, ...]).

        Order and shapes are those of `wrt`, by default of get_weights(), and the numbers those of
        GradientTape.
        """
        return super().lambdify()


class Jacobian(jacobian.Jacobian):
    """The Jacobian of `of` by `wrt`, for one sample; see the module's text for its layout."""

    def lambdify(self) -> "JacobianFunction":
        """f(x, weights) -> the Jacobian of each sample, (N, columns of wrt, columns of of).

        For one sample without that axis it has none either. The code does not grow with the steps
        between: each sample is computed once for each column.
        """
        from symrnn.derivations import numbers

        return numbers.lambdify_jacobian(self)


def check(
    keras_model: Any,
    x: Any = None,
    y_true: Any = None,
    loss: str | Loss | Sequence[str | Loss] | None = None,
    derivation: derivation.Derivation | None = None,
    seed: int = 0,
    detail: str = "model",
) -> "Report":
    """Compare the model's predictions, states, loss and gradients with the derivation's.

    Without x, random samples are drawn (`seed`), with masked steps and initial states where the model
    has them; without y_true, targets that suit the loss. For several inputs x is the list that Keras
    takes; the states of stateful layers may follow, and are those that the model has now otherwise.
    `loss` is one for all outputs or a list. Without a loss the gradients are those of the sum of all
    outputs; where one is a softmax, whose sum is always 1, of the categorical crossentropy.
    `derivation` is `derive(keras_model)` unless given; a `Gradient` brings its own adjoint
    equations and its loss. With `detail="layers"` the output of each layer has a row of its own,
    with "steps" each time step of recurrent layers and of their states, too.

    Raises:
        ImportError: Keras or TensorFlow is missing; the message says what to install.
        NotImplementedError: Keras runs on another backend, or the model is not supported.
        ValueError: x, y_true, the loss or the derivation do not fit the model.
    """
    from symrnn.checking import checks

    return checks.check_model(keras_model, x, y_true, loss, derivation, seed, detail)


@mimebundle.register(Displayed)
def _(value: Displayed) -> dict[str, str]:
    """The rules are loaded with the first value that is shown."""
    from symrnn.documents import jupyter

    return jupyter.bundle_of(value)
