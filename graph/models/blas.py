"""Keeps NumPy's matrix products on one thread while a text is embedded; without OpenBLAS it changes nothing.

A second thread spins while it waits. On two busy cores, embedding one message took 6 times as long with it, and 8 times
the processor time, than without.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")
_FOLDERS = ("../numpy.libs", ".dylibs")

Threads = tuple[Callable[[], int], Callable[[int], None]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy's OpenBLAS compute on one thread in this block; the setting is the process's, and is put back."""
    found = _threads()
    if found is None:
        yield
        return
    read, write = found
    before = read()
    write(1)
    try:
        yield
    finally:
        write(before)


@cache
def _threads() -> Threads | None:
    """Return how to read and write the thread count of the OpenBLAS that NumPy's wheel brought, or None."""
    import numpy

    package = Path(numpy.__file__).parent
    libraries = [file for folder in _FOLDERS for file in sorted((package / folder).glob("*openblas*"))]
    for library in libraries:
        try:
            loaded = ctypes.CDLL(str(library))  # already in the process: this is a second handle, not a second copy
        except OSError:
            continue
        for name in _NAMES:
            if hasattr(loaded, name.format("get")) and hasattr(loaded, name.format("set")):
                return getattr(loaded, name.format("get")), getattr(loaded, name.format("set"))
    return None
