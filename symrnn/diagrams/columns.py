"""Strands in time: which steps a picture shows, in which columns, and between which of them links run.

Strands that read each other at the same step make up a stretch of columns: an encoder and its decoder
are two. A sequence that is read in the opposite order runs from right to left, so that what
belongs together stands in one column.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sympy import Expr

from symrnn.diagrams.lanes import ALL, BEFORE, LAST, SAME, START, TURNED, Lane, Link, lanes_of
from symrnn.expressions.names import Name, Time
from symrnn.models.network import Network

Key = tuple[int, int]
"""A node: the place of its strand and its column, 0 for a strand without time."""
SHOWN = 5
"""More time steps than this are elided: the first, the second, dots, the last."""


@dataclass(frozen=True)
class Timeline:
    """Strands and links, the stretch of each strand (None without time), the columns of each stretch.

    A column is a time step, or None for dots; `turned` strands have theirs from the last to the first.
    `hidden` strands are left out.
    """

    strands: tuple[Lane, ...]
    links: tuple[Link, ...]
    stretches: tuple[int | None, ...]
    turned: tuple[bool, ...]
    columns: tuple[tuple[Time | None, ...], ...]
    counts: tuple[int | None, ...]
    hidden: frozenset[int] = frozenset()

    def keys(self, strand: int) -> list[Key]:
        """The nodes of a strand, from left to right."""
        stretch = self.stretches[strand]
        return [(strand, column) for column in range(1 if stretch is None else len(self.columns[stretch]))]

    def time(self, key: Key) -> Time | None:
        """The time step of a node; None for dots and where there is no time."""
        stretch = self.stretches[key[0]]
        if stretch is None:
            return None
        time = self.columns[stretch][key[1]]
        return opposite(time, self.counts[stretch]) if self.turned[key[0]] else time

    def column(self, key: Key) -> int:
        """Where a node comes in reading order: with its column, or after all that it depends on."""
        stretch = self.stretches[key[0]]
        before = [len(columns) + 1 for columns in self.columns]
        if stretch is not None:
            return sum(before[:stretch]) + key[1]
        return sum(before[: max(self.reach[key[0]], default=-1) + 1]) - 1

    def is_dots(self, key: Key) -> bool:
        """Whether a node stands for the steps that are left out."""
        return self.stretches[key[0]] is not None and self.time(key) is None

    def leftwards(self, strand: int) -> bool:
        """Whether the steps of a cell are computed from right to left."""
        return self.strands[strand].reverse != self.turned[strand]

    def name(self, key: Key, line: int = 0) -> Name:
        """The letter of a node."""
        name = self.strands[key[0]].names[line]
        return name if self.stretches[key[0]] is None else name.at(self.time(key))

    def first(self, strand: int) -> Key:
        """The node that is computed first."""
        keys = self.keys(strand)
        return keys[-1 if self.leftwards(strand) else 0]

    def last(self, strand: int) -> Key:
        """The node that is computed last."""
        keys = self.keys(strand)
        return keys[0 if self.leftwards(strand) else -1]

    def before(self, strand: int, line: int = 0) -> Name:
        """The letter of what a state is before the first step."""
        key = self.first(strand)
        stretch = self.stretches[strand] or 0
        after = self.counts[stretch] if isinstance(self.time(key), int) else "T"
        return self.strands[strand].before[line].at(after if self.strands[strand].reverse else -1)

    def carried(self, source: Key, target: Key, line: int) -> Name:
        """What an arrow carries: the letter of its source, which after dots is that of the step before the target."""
        time = self.time(target)
        if not self.is_dots(source) or time is None:
            return self.name(source, line)
        name = self.strands[source[0]].names[line]
        return name.at(shifted(time, 1 if self.strands[source[0]].reverse else -1))

    def ends(self, link: Link) -> Iterator[tuple[Key, Key]]:
        """The nodes between which a link runs."""
        (source, _, when), target = link.source, link.target
        into = self.keys(target)
        if not link.has_arrow:
            return
        if when == LAST:
            yield from ((self.last(source), key) for key in into if not self.is_dots(key))
        elif when == START:
            if self.starts_from(link):
                yield self.last(source), self.first(target)
        elif when == ALL:
            yield from ((key, into[0]) for key in self.keys(source))
        elif when == BEFORE:
            order = into[::-1] if self.leftwards(target) else into
            yield from pairwise(order)
        else:
            yield from self._at_the_same_step(source, into, when == TURNED)

    def _at_the_same_step(self, source: int, into: list[Key], turned: bool) -> Iterator[tuple[Key, Key]]:
        stretch = self.stretches[source]
        places = {self.time(key): key for key in self.keys(source)}
        for key in into:
            if self.is_dots(key):
                continue
            time = self.time(key)
            wanted = opposite(time, self.counts[stretch or 0]) if turned else time
            if stretch is None:
                yield (source, 0), key
            elif wanted in places or len(places) == 1:  # rolled, a node stands for all steps
                yield places.get(wanted, (source, 0)), key

    def starts_from(self, link: Link) -> bool:
        """Whether what a state starts from is to its left, so that an arrow shows it."""
        source, target = link.source.strand, self.stretches[link.target]
        return target is not None and bool(self.reach[source]) and max(self.reach[source]) < target

    @cached_property
    def reach(self) -> tuple[frozenset[int], ...]:
        """The stretches that each strand depends on; none for an input without time."""
        return _reach(self.strands, self.links, self.stretches)

    @cached_property
    def drawn(self) -> frozenset[int]:
        """The strands that are drawn: not inputs that only say what a state starts from, without an arrow."""
        used = {end[0] for link in self.links for pair in self.ends(link) for end in pair}
        needed = {place for place, strand in enumerate(self.strands) if place in used or strand.kind != "input"}
        return frozenset(needed - self.hidden)


def timeline_of(network: Network, rolled: bool = False) -> Timeline:
    """The strands of a network in time; rolled, each has one node for all its steps."""
    strands, links = lanes_of(network)
    turned = _turned(strands, links)
    groups = _groups(strands, links)
    order = _in_order(strands, links, groups)
    stretches = tuple(None if group is None else order.index(group) for group in groups)
    known = network.timesteps
    counts = tuple(_count(strands, stretches, stretch, known) for stretch in range(len(order)))
    both = _at_both_ends(links, stretches, turned)
    columns = tuple(("t",) if rolled else _columns(count, stretch in both) for stretch, count in enumerate(counts))
    return Timeline(strands, links, stretches, turned, columns, counts)


def opposite(time: Time | None, count: int | None) -> Time | None:
    """The step T-1-t."""
    if isinstance(time, int) and count is not None:
        return count - 1 - time
    return {None: None, "t": "T-1-t", "T-1-t": "t", 0: "T-1", 1: "T-2", "T-1": 0, "T-2": 1}[time]


def shifted(time: Time, by: int) -> Time:
    """The step after, or before."""
    if isinstance(time, int):
        return time + by
    base, _, number = time.partition("-")
    offset = int(number or 0) - by
    return base + (f"-{offset}" if offset > 0 else f"+{-offset}" if offset else "")


def _columns(count: int | None, both_ends: bool) -> tuple[Time | None, ...]:
    """The steps that are shown; with `both_ends` they are the same when they are turned."""
    if count is not None and count <= SHOWN:
        return tuple(range(count))
    end: list[Time] = ["T-2", "T-1"] if count is None else [count - 2, count - 1]
    return (0, 1, None, *(end if both_ends else end[1:]))


def _at_both_ends(links: tuple[Link, ...], stretches: tuple[int | None, ...], turned: tuple[bool, ...]) -> set[int]:
    """The stretches in which a strand reads sequences of both orders."""
    found = set()
    for link in links:
        stretch, source = stretches[link.target], link.source
        against = turned[source.strand] != turned[link.target]
        if stretch is not None and source.when in (SAME, TURNED) and against != (source.when == TURNED):
            found.add(stretch)
    return found


def _turned(strands: tuple[Lane, ...], links: tuple[Link, ...]) -> tuple[bool, ...]:
    """Whether a strand runs from right to left, as the first that it reads does."""
    found: list[bool] = []
    for place in range(len(strands)):
        sources = [link.source for link in links if link.target == place and link.source.when in (SAME, TURNED)]
        sources = [source for source in sources if source.strand < place and strands[source.strand].steps is not None]
        found.append(bool(sources) and found[sources[0].strand] != (sources[0].when == TURNED))
    return tuple(found)


def _groups(strands: tuple[Lane, ...], links: tuple[Link, ...]) -> tuple[int | None, ...]:
    """For each strand with time a number, the same for strands that are read together."""
    found = list(range(len(strands)))
    for link in links:
        ends = found[link.source.strand], found[link.target]
        if link.source.when in (SAME, TURNED) and strands[link.source.strand].steps is not None:
            found = [min(ends) if group in ends else group for group in found]
    return tuple(None if strand.steps is None else found[place] for place, strand in enumerate(strands))


def _reach(
    strands: tuple[Lane, ...], links: tuple[Link, ...], groups: tuple[int | None, ...]
) -> tuple[frozenset[int], ...]:
    """The groups that each strand depends on; only its own where it has time."""
    found: list[frozenset[int]] = []
    for place, group in enumerate(groups):
        sources = [link.source.strand for link in links if link.target == place and link.source.strand < place]
        own = frozenset().union(*(found[source] for source in sources)) if group is None else frozenset([group])
        found.append(own)
    return tuple(found)


def _in_order(strands: tuple[Lane, ...], links: tuple[Link, ...], groups: tuple[int | None, ...]) -> list[int]:
    """The groups from left to right: after those whose last states they start from, as far as that can be."""
    reach = _reach(strands, links, groups)
    waits: dict[int, set[int]] = {group: set() for group in groups if group is not None}
    for link in links:
        source, target = reach[link.source.strand], groups[link.target]
        if link.source.when in (START, LAST) and target is not None:
            waits[target] |= source
    order: list[int] = []
    while len(order) < len(waits):
        rest = [group for group in waits if group not in order]
        order.append(next((group for group in rest if waits[group] - {group} <= set(order)), rest[0]))
    return order


def _count(
    strands: tuple[Lane, ...], stretches: tuple[int | None, ...], stretch: int, known: Mapping[Expr, int | None]
) -> int | None:
    steps = next(strand.steps for strand, own in zip(strands, stretches, strict=True) if own == stretch)
    return None if steps is None else known[steps]
