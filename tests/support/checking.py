"""What the tests of checks share: live models with normal weights, and rows by their verdict."""

from typing import Any

import numpy as np

from symrnn.checking.keras_models import build
from symrnn.checking.report import Report


def live(model: Any, scale: float = 0.5, seed: int = 0, batch_size: int | None = None) -> Any:
    """The Keras model with normal weights."""
    built = build(model, batch_size=batch_size)
    generator = np.random.default_rng(seed)
    built.set_weights([generator.normal(0, scale, weight.shape) for weight in built.get_weights()])
    return built


def quantities(report: Report, verdict: str) -> list[str]:
    """The quantities of the rows with this verdict."""
    return [row.quantity for row in report.rows if row.verdict == verdict]
