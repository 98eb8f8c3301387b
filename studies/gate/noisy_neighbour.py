"""A neighbour who works: ``python -P -m studies.gate.noisy_neighbour CORE`` multiplies and copies until it is ended.

It copies more than the caches hold, since neighbours on a shared machine are felt through caches and memory as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL, Popen

COPIED = 32 << 20  # bytes
SIZE = 256


@contextmanager
def busy(core: int) -> Iterator[None]:
    """Keep ``core`` busy during the body."""
    command = [sys.executable, "-P", "-m", "studies.gate.noisy_neighbour", str(core)]
    with Popen(command, stdin=DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}) as child:  # noqa: S603  # our own command
        try:
            yield
        finally:
            child.kill()


def main(core: int) -> None:
    """Work on ``core`` until this process or its parent ends."""
    import numpy as np

    os.sched_setaffinity(0, {core})
    parent, source, left = os.getppid(), np.zeros(COPIED, dtype=np.uint8), np.ones((SIZE, SIZE))
    target = np.empty_like(source)
    while os.getppid() == parent:
        np.copyto(target, source)
        np.matmul(left, left)


if __name__ == "__main__":
    main(int(sys.argv[1]))
