"""Random models beside float64 Keras: `python -m tests.robustness.random_models SECONDS [SEED]`.

Layers, options, masks, losses and activations are drawn, and inputs and weights that are ordinary or
large. Wherever Keras is finite symrnn is, and equal. What happened to each model is one of

- equal: outputs, objective and gradients, each array relative to its largest number;
- a rounding decides: symrnn itself gives other numbers for weights that are off by 2^-50;
- refused: ValueError or NotImplementedError;
- NOT FINITE, DIFFERS or CRASHED, which are faults.

Keras computes squareplus, (x + sqrt(x^2 + 4)) / 2, and its slope as they are written: far below 0 what
is left of them is a rounding, or inf. A model with it has ordinary numbers. What is left may also
differ where numbers 10^16 times larger cancel in a sum, which Keras adds in another order: seeds 20252
(behind a log_softmax) and 30382 (over time steps).
"""

import random
import sys
import time
from collections import Counter

import numpy as np

from tests.support.sketches import NAMES, WANTED, Sketch, in_float64, trial_of

TOLERANCE = 1e-9
FAULTS = ("NOT FINITE", "DIFFERS", "CRASHED")
SIZES = (1.0, 1.0, 1.0, 30.0, 1e3, 1e20, 1e160)
SPREADS = (0.6, 0.6, 3.0, 30.0)


def outcome(seed):
    """What happens to the model of a seed, and what it is."""
    chance = random.Random(seed)
    kind = WANTED[seed % len(WANTED)]
    sketch = Sketch(chance.choice, kind, ends=NAMES)
    model, size, spread = sketch.model(), chance.choice(SIZES), chance.choice(SPREADS)
    if "squareplus" in repr(model):
        size, spread = SIZES[0], SPREADS[0]
    text = f"seed {seed}: {' '.join(kind)}, loss {sketch.loss}, inputs {size:g}, weights {spread:g}"
    try:
        trial = trial_of(sketch, model, np.random.default_rng(seed), size, spread)
        return _verdict(trial), text
    except (ValueError, NotImplementedError) as error:
        return "refused", f"{text}: {error}"
    except Exception as error:
        return "CRASHED", f"{text}: {type(error).__name__}: {error}"


def _verdict(trial):
    ours, theirs = trial.ours(), trial.theirs
    known = [np.isfinite(other) for other in theirs]
    if not all(np.isfinite(mine[where]).all() for mine, where in zip(ours, known, strict=True)):
        return "NOT FINITE"
    if _difference(ours, theirs, known) <= TOLERANCE:
        return "equal" if all(where.all() for where in known) else "equal where Keras is finite"
    return "a rounding decides" if _difference(ours, trial.wider(), known) > TOLERANCE / 100 else "DIFFERS"


def _difference(ours, theirs, known):
    """The largest of two lists of arrays where Keras is finite, each relative to its largest number."""
    pairs = [(a[where], b[where]) for a, b, where in zip(ours, theirs, known, strict=True) if where.any()]
    with np.errstate(all="ignore"):
        found = [np.max(abs(a / 2 - b / 2)) / max(1e-3, np.max(abs(b / 2))) for a, b in pairs]
    return np.nan_to_num(np.max(found, initial=0), nan=np.inf)


def main():
    """Print every fault and the counts, and end with 1 where there was a fault."""
    end, seed = time.monotonic() + float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    counts = Counter()
    with in_float64():
        while time.monotonic() < end:
            found, text = outcome(seed)
            counts[found] += 1
            seed += 1
            if found not in ("equal", "equal where Keras is finite", "a rounding decides"):
                print(f"{found}: {text}", flush=True)
    print(f"{counts.total()} models: {', '.join(f'{count} {found}' for found, count in counts.items())}")
    sys.exit(any(counts[fault] for fault in FAULTS))


if __name__ == "__main__":
    main()
