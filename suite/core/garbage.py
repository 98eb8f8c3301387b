"""Python's search for garbage: paused while very many objects are made that all stay, short before each sample."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for no cycles within the body: each search would visit all records that were read before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def set_aside() -> None:
    """Collect garbage, and let later collections pass over all that is there now, until `take_back`.

    torch and what goes with it are half a million objects, which take a third of a second to visit, and each of a
    cell's dozen samples begins with a collection.
    """
    gc.collect()
    gc.freeze()
    atexit.unregister(take_back)
    atexit.register(take_back)  # or extension modules report all that they have as leaked


def take_back() -> None:
    """Let the next collection visit everything again: what is dropped in circles stays in memory otherwise."""
    gc.unfreeze()
