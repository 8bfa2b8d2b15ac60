"""Where the texts among the attributes of an HDF5 file lead to, looked at before the library follows.

HDF5 1.14 believes the address that an attribute has for a text of any length, and the sizes of the objects in the heap
there: a wrong one takes gigabytes, and a free object of size 0 takes for ever.
Source: HDF5 File Format Specification 3.0, II.A, III.E, IV.A.2.d and IV.A.2.m.
"""

import mmap
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

_SIGNATURE, _HEAP = b"\x89HDF\r\n\x1a\n", b"GCOL\x01"
_SUPERBLOCKS = {0: (14, 24), 1: (14, 28), 2: (10, 12), 3: (10, 12)}
"""Where the superblock of a version has the number of bytes of a length, and the address at which all begins."""
_OBJECT, _REFERENCE = struct.Struct("<HHIQ"), struct.Struct("<IQI")
_VARIABLE = 9
"""The class of a type of variable length."""


def check_texts(path: Path, names: Sequence[str], most: int) -> None:
    """Check that the texts of the attributes of these names, also with a number behind, are in heaps of the file.

    Raises:
        ValueError: it is no HDF5 file, or they are not, or have more than `most` bytes together.
    """
    with path.open("rb") as file:
        start = file.read(64)
        if not _is_plain(start):
            raise ValueError("cannot be read as HDF5: it begins otherwise")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            heaps = _Heaps(content, len(content) // _OBJECT.size)
            total = 0
            for length, address, index in _references(content, names):
                total += length
                if length and length > heaps.objects(address).get(index, 0):
                    raise ValueError("cannot be read as HDF5: a text is not where the file says")
            if total > most:
                raise ValueError(f"texts of attributes: expected at most {most} bytes, got {total}")


def _is_plain(start: bytes) -> bool:
    """Whether a file begins as one of HDF5 whose lengths have eight bytes and whose addresses count from its start."""
    places = _SUPERBLOCKS.get(start[8]) if len(start) == 64 and start.startswith(_SIGNATURE) else None
    return places is not None and start[places[0]] == 8 and start[places[1] :][:8] == bytes(8)


@dataclass
class _Heaps:
    """The heaps of a file, each walked through once; `room` is how many objects there may be."""

    content: mmap.mmap
    room: int
    found: dict[int, Mapping[int, int]] = field(default_factory=dict)

    def objects(self, address: int) -> Mapping[int, int]:
        """The sizes of the objects in the heap at an address, which lie one behind the other up to its end."""
        if address not in self.found:
            self.found[address] = dict(self._walked(address))
        return self.found[address]

    def _walked(self, address: int) -> Iterator[tuple[int, int]]:
        if self.content[address : address + 5] != _HEAP or address + 16 > len(self.content):
            raise ValueError("cannot be read as HDF5: a text is not where the file says")
        place, end = address + 16, address + int.from_bytes(self.content[address + 8 : address + 16], "little")
        while place <= end <= len(self.content) and self.room:
            if end - place < _OBJECT.size:
                return
            index, _, _, length = _OBJECT.unpack_from(self.content, place)
            step = _OBJECT.size + (length + 7) // 8 * 8 if index else length
            place, self.room = place + step, self.room - 1
            if not step:
                break
            if index:
                yield index, length
        raise ValueError("cannot be read as HDF5: the objects of a heap do not lie one behind the other")


def _references(content: mmap.mmap, names: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Length, heap and object of every text of variable length in the attributes of these names."""
    pattern = rb"(?:%b)\d*\0" % b"|".join(re.escape(name.encode()) for name in names)
    for found in re.finditer(pattern, content):
        for place in _data(content, found.start(), len(found[0])):
            yield _REFERENCE.unpack_from(content, place)


def _data(content: mmap.mmap, start: int, size: int) -> Iterator[int]:
    """The places of the texts of variable length in the attribute whose name stands here, if it is one."""
    for version, before, padding in ((1, 8, 8), (2, 8, 1), (3, 9, 1)):
        header = content[max(start - before, 0) : start][:8]
        if len(header) < 8 or header[0] != version:
            continue
        named, typed, spaced = struct.unpack("<HHH", header[2:])
        if named != size:
            continue
        type_at = start + -(-named // padding) * padding
        space_at = type_at + -(-typed // padding) * padding
        data_at = space_at + -(-spaced // padding) * padding
        if content[type_at : type_at + 1] and content[type_at] & 15 == _VARIABLE:
            count = prod(_sizes(content[space_at:data_at]))
            if data_at + count * _REFERENCE.size > len(content):
                raise ValueError("cannot be read as HDF5: an attribute is longer than the file")
            yield from range(data_at, data_at + count * _REFERENCE.size, _REFERENCE.size)


def _sizes(space: bytes) -> tuple[int, ...]:
    """The shape of a dataspace."""
    start = {1: 8, 2: 4}.get(space[0], 8) if space else 8
    rank = min(space[1], (len(space) - start) // 8) if len(space) > start else 0
    return struct.unpack_from(f"<{rank}Q", space, start) if rank else ()
