"""Python code as a function."""

from collections.abc import Callable
from typing import Any

import numpy as np

_KEPT = 31 * 2**20
"""Bytes; the library counts blocks of up to 32 MB."""


def compile_source(source: str, name: str) -> Callable[..., tuple[Any, ...]]:
    """The function `name` of a generated module. All names in it have passed `program.validate`.

    Linux' C library gives a large array back to the system when it is freed, and its pages cost more
    time than the numbers in them when the next call asks for them again. Once a block of 31 MB has been
    freed, it keeps freed arrays of up to that size for the next call: mallopt(3), M_MMAP_THRESHOLD.
    """
    np.empty(_KEPT, np.uint8)
    namespace: dict[str, Any] = {"__name__": f"symrnn.generated.{name}"}
    exec(compile(source, f"<symrnn {name}>", "exec"), namespace)  # noqa: S102 - our own source, see above
    return namespace[name]
