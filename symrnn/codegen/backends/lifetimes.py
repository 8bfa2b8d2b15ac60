"""How long generated code keeps its arrays: those that no later line reads are given back after each loop.

A gradient keeps for each layer and time step what its backward pass reads, the gates and the states
before and after; the factors and adjoints of a layer are there only while its own backward pass runs.
"""

import re
from collections.abc import Iterable, Iterator

_ASSIGNED = re.compile(r"\b((?:\w+, )*\w+) = ")
_NAMES = re.compile(r"[^\W\d]\w*")


def with_releases(lines: Iterable[str]) -> list[str]:
    """The lines of a function's body, with a `del` after each loop that another one follows."""
    blocks = list(_blocks(lines))
    last = {name: place for place, block in enumerate(blocks) for name in _NAMES.findall(block)}
    loops = [place for place, block in enumerate(blocks) if block.startswith("    for ")]
    waiting: dict[str, None] = {}
    found: list[str] = []
    for place, block in enumerate(blocks):
        found.append(block)
        waiting |= dict.fromkeys(name for names in _ASSIGNED.findall(block) for name in names.split(", "))
        dead = [name for name in waiting if last[name] <= place] if place in loops[:-1] else []
        found += [f"    del {', '.join(dead)}"] if dead else []
        waiting = {name: None for name in waiting if name not in dead}
    return found


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """The statements of the body, a loop with its lines."""
    block: list[str] = []
    for line in lines:
        if block and not line.startswith("        "):
            yield "\n".join(block)
            block = []
        block.append(line)
    yield "\n".join(block)
