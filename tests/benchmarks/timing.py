"""Timing by turns, and one line of a report for each ratio."""

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

Work = Callable[[], object]


def seconds(work: Work, calls: int = 1) -> float:
    """The time of one call, averaged over `calls` of them, with the garbage collector at rest."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - start) / calls
    finally:
        gc.enable()


def by_turns(
    works: Mapping[str, Work], rounds: int, slice_seconds: float = 0.0, prepare: Work | None = None
) -> dict[str, float]:
    """The median time of one call of each: A B A B ..., so that a busy moment meets all of them.

    In its turn a work is called for about `slice_seconds`, at least once; `prepare` runs before each
    turn and is not timed. The first call of each is not timed either.
    """
    calls = {name: _calls(work, slice_seconds) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            if prepare is not None:
                prepare()
            times[name].append(seconds(work, calls[name]))
    return {name: median(values) for name, values in times.items()}


def _calls(work: Work, slice_seconds: float) -> int:
    work()
    return max(1, round(slice_seconds / max(seconds(work), 1e-7))) if slice_seconds else 1


def duration(value: float) -> str:
    """A time as people read it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} us"


def report(what: str, ours: float, theirs: float, asked: str, faster: bool = False) -> float:
    """Print and return ours / theirs; with `faster` theirs / ours, how many times as fast we are."""
    ratio = theirs / ours if faster else ours / theirs
    print(f"{what:<78} {ratio:7.2f}x  (asked {asked})   {duration(ours)} : {duration(theirs)}", flush=True)
    return ratio
