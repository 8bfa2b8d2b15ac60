"""Random cases, each made of a number: `python -m tests.robustness.fuzz SECONDS [NAME ...] [--seed N]`.

A fuzzer is a function of a number and a folder that raises AssertionError where something does not hold. A case
that takes longer than five seconds, or 300 MiB more memory than all before, does not hold either, nor one that
ends the process; the number that is printed makes the case again.
"""

import argparse
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import struct
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from symrnn import derive
from symrnn.checking.keras_models import import_frameworks, load
from symrnn.cli import _load

SECONDS, MIB = 5, 300
_PATIENCE = 4 * SECONDS
"""How long the parent waits for a case that its alarm does not reach."""
ALLOWED = (ValueError, NotImplementedError)
LONGEST = 2000
"""Characters of a message: it may name four layers, a path, and all layers that are supported."""

# files ------------------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3.5,
        1e400,
        -1e400,
        10**9,
        10**400,
        2**63,
        "",
        "a",
        "tanh",
        "\x1b[2J\n",
        "a" * 10**5,
    ),
    *(
        [],
        {},
        [[]],
        [None],
        [None, 5, 3],
        [None, 10**9, 3],
        [-1],
        ["x", 0, 0],
        ["x", 10**9, 0],
        [["x", 0, 0]],
        {"a": 1},
    ),
    {"class_name": "Dense", "config": {"units": 10**9}},
    {"class_name": "__lambda__", "config": {"value": "4wAAAAA="}},
    {"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": ["x", 0, 0]}},
    {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": "os>system"},
)
"""What may stand in a configuration in the place of anything."""


def _models() -> dict[str, Any]:
    """Small models whose files have all kinds of parts."""
    from tests.support.keras_bank import BANK

    names = ("several", "both ways", "cells", "functional masks", "encoder, decoder", "models in models", "elementwise")
    return {name: BANK[name]() for name in names}


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """The whole files that are damaged: their suffixes and their contents. It loads Keras."""
    keras, _ = import_frameworks()
    keras.utils.clear_session(free_memory=False)  # layers are numbered anew
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for place, model in enumerate(_models().values()):
            for suffix in (".keras", ".h5"):
                path = Path(folder, f"{place}{suffix}")
                model.save(path)
                found.append((suffix, path.read_bytes()))
            found.append((".json", model.to_json().encode()))
    for array in (np.ones((2, 5, 3)), np.array(1.0), np.zeros((0, 3), "int32"), np.array(["a"])):
        content = io.BytesIO()
        np.save(content, array)
        found.append((".npy", content.getvalue()))
    return tuple(found)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The bytes with some of them changed, taken out, put in or repeated."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(found) + 1)
        kind = draw.randrange(6)
        if kind == 0:
            del found[place:]
        elif kind == 1:
            found[place:place] = draw.randbytes(draw.randrange(1, 40))
        elif kind == 2:
            found[place : place + 8] = struct.pack("<q", draw.choice((-1, 0, 2**31 - 1, 2**31, 2**62, 2**63 - 1)))
        elif kind == 3:
            found[place:place] = found[place : place + draw.randrange(1, 400)]
        elif found:
            found[min(place, len(found) - 1)] ^= 1 << draw.randrange(8)
    return bytes(found)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a value of JSON."""
    for key in (
        (list(value) if isinstance(value, dict) else range(len(value))) if isinstance(value, dict | list) else ()
    ):
        yield value, key
        yield from _places(value[key])


def edited(text: bytes | str, draw: random.Random) -> bytes:
    """A text in JSON with some values exchanged, taken out, or deep in lists."""
    config = json.loads(text)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        places = list(_places(config))
        if not places:
            break
        container, key = draw.choice(places)
        kind = draw.randrange(8)
        if kind == 0:
            del container[key]
        elif kind == 1:
            other, other_key = draw.choice(places)
            container[key] = json.loads(json.dumps(other[other_key]))
        elif kind == 2 and isinstance(container, dict):
            container[draw.choice(("", "name", "config", "class_name", "alien"))] = container.pop(key)
        elif kind == 3:
            container[key] = _deep(draw.choice((50, 150)), container[key])
        else:
            container[key] = deepcopy(draw.choice(VALUES))
    return json.dumps(config).encode()


def _deep(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def _damaged_zip(content: bytes, draw: random.Random) -> bytes:
    """A zip file of which one member is damaged, edited or left out, or is there twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = draw.randrange(len(members))
    name, member = members[place]
    kind = draw.randrange(6)
    if kind < 4:
        change = edited if name.endswith(".json") and kind else damaged
        members[place] = (name, change(member, draw))
    elif kind == 4:
        del members[place]
    else:
        members.append((name, damaged(member, draw)))
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, member in members:
            if name in archive.namelist():
                continue
            archive.writestr(name, member)
    return found.getvalue()


def _edited_h5(content: bytes, draw: random.Random) -> bytes:
    """An HDF5 file whose configuration is edited, or whose version or a name of its weights is another."""
    found = io.BytesIO(content)
    with h5py.File(found, "r+") as file:
        kind = draw.randrange(4)
        if kind == 0:
            file.attrs["keras_version"] = draw.choice(("2.15.0", "2.1.6", "1.0", "3.99", "", "x", 3, ["3.15.1"]))
        if kind == 1:
            group = file["model_weights"][draw.choice(list(file["model_weights"]))]
            group.attrs["weight_names"] = draw.choice(([], ["a"], ["../x"], [1.0], "a", ["a" * 1000] * 9, np.zeros(3)))
        if kind != 1:
            file.attrs["model_config"] = edited(file.attrs["model_config"], draw).decode()
    return found.getvalue()


_DAMAGES: dict[str, tuple[Callable[[bytes, random.Random], bytes], ...]] = {
    ".keras": (damaged, _damaged_zip, _damaged_zip, _damaged_zip),
    ".h5": (damaged, _edited_h5),
    ".json": (damaged, edited, edited),
    ".npy": (damaged,),
}


def damaged_file(number: int, folder: Path) -> None:
    """A damaged file is read, and given to Keras, or refused in one line."""
    draw = random.Random(number)
    suffix, content = draw.choice(seeds())
    path = folder / f"damaged{suffix}"
    path.write_bytes(draw.choice(_DAMAGES[suffix])(content, draw))
    if suffix == ".npy":
        allowed(lambda: _load(path, "--inputs"))
    elif allowed(lambda: derive(path)) and suffix != ".json":
        allowed(lambda: load(path))


def allowed(act: Callable[[], Any]) -> bool:
    """Whether something is done, where it is not refused in one line without control signs.

    Raises:
        AssertionError: it ends in another exception, or in another message.
    """
    try:
        act()
    except ALLOWED as error:
        if not str(error).isprintable() or len(str(error)) > LONGEST:
            raise AssertionError(f"no short line: {ascii(str(error))[:500]}") from error
        return False
    except Exception as error:
        last = "".join(traceback.format_exception(error)[-6:])
        raise AssertionError(f"{type(error).__name__}: {str(error)[:300]}\n{last}") from error
    return True


# running ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fuzzer:
    """A case by its number, in a folder of its own; and what is loaded once for all cases."""

    case: Callable[[int, Path], None]
    prepare: Callable[[], object]


FUZZERS = {"files": Fuzzer(damaged_file, seeds)}


class Late(BaseException):
    """What ends a case; nothing that it calls is to catch it."""


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """An end for what takes longer.

    Raises:
        Late: it does.
    """

    def late(*arguments: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(name: str, number: int, folder: Path) -> tuple[str, float, float]:
    """What went wrong in a case, the seconds that it took, and by how many MiB the peak of the memory rose."""
    before, began, wrong = _peak(), time.monotonic(), ""
    try:
        with bounded(SECONDS):
            FUZZERS[name].case(number, folder)
    except Late:
        wrong = f"takes longer than {SECONDS} s"
    except AssertionError as error:
        wrong = str(error) or traceback.format_exc(limit=-3)
    except BaseException:
        wrong = traceback.format_exc(limit=-6)
    grown = _peak() - before
    return wrong or (f"takes {grown:.0f} MiB" if grown > MIB else ""), time.monotonic() - began, grown


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _work(pipe: Any, name: str, number: int) -> None:
    """Cases one after the other, each told before and after, until the parent ends the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    folder = Path(tempfile.mkdtemp())
    try:
        FUZZERS[name].prepare()
        outcome(name, number, folder)  # what is loaded with the first case counts for none
        while True:
            pipe.send((number, None))
            pipe.send((number, outcome(name, number, folder)))
            number += 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def search(name: str, seconds: float, number: int) -> list[tuple[int, str]]:
    """The cases that do not hold among as many as there is time for; what they were is printed."""
    context = multiprocessing.get_context("spawn")
    end, found, tried, slowest, largest = time.monotonic() + seconds, [], 0, (0.0, 0), (0.0, 0)
    while time.monotonic() < end:
        pipe, other = context.Pipe()
        worker = context.Process(target=_work, args=(other, name, number), daemon=True)
        worker.start()
        other.close()
        lost = ""
        try:
            while not lost and time.monotonic() < end:
                if not pipe.poll(120 if not tried else _PATIENCE):
                    lost = "hangs"
                    break
                number, result = pipe.recv()
                if result is None:
                    continue
                wrong, took, grown = result
                tried += 1
                slowest, largest = max(slowest, (took, number)), max(largest, (grown, number))
                if wrong:
                    found.append((number, wrong))
                    print(f"{name} {number}: {wrong}", flush=True)
                number += 1
        except EOFError:
            lost = "ends the process"
        worker.kill()
        worker.join()
        if lost:
            found.append((number, lost))
            print(f"{name} {number}: {lost}", flush=True)
            number += 1
    print(
        f"{name}: {tried} tried, {tried - len(found)} held, the slowest {slowest[0]:.2f} s ({slowest[1]}), "
        f"the largest {largest[0]:.0f} MiB ({largest[1]})"
    )
    return found


def main() -> None:
    """Run fuzzers for a time, and say what does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.robustness.fuzz")
    parser.add_argument("seconds", type=float)
    parser.add_argument("names", nargs="*", choices=[[], *FUZZERS], default=[])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = given.names or list(FUZZERS)
    wrong = [search(name, given.seconds / len(names), given.seed) for name in names]
    raise SystemExit(1 if any(wrong) else 0)


if __name__ == "__main__":
    main()
