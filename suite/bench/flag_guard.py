"""Nothing may leak from one side or cell into the next through torch's global settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from suite.bench.resolved_cell import Case
from suite.core.errors import SetupError, TechniqueError
from suite.core.machine import flags


@contextmanager
def unchanged_flags(case: Case) -> Iterator[None]:
    """Raise `TechniqueError` if the body leaves torch's global settings otherwise than it found them; put them back."""
    before = flags.read()
    try:
        yield
    finally:
        found = flags.changed(before, flags.read())
        flags.write(before)
    if found:
        raise TechniqueError(
            f"{case.composition} changed torch's global settings ({found}), for all later arms and cells, too; set "
            "them in the recipe instead: replace(recipe, flags={...}), with the slot 'flags' declared"
        )


def check_threads(wanted: int | None) -> None:
    """Raise `SetupError` if a loaded module gave torch another number of threads than the quiet process has.

    ``wanted`` is `quiet.apply_threads`'s answer from before the modules were loaded: ``None`` in any other process.
    """
    import torch

    found = torch.get_num_threads()
    if wanted is not None and found != wanted:
        raise SetupError(
            f"a loaded module set torch's threads to {found}, this quiet process has {wanted}; remove "
            f"torch.set_num_threads from it, and start with --threads {found}"
        )
