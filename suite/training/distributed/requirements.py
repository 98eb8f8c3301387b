"""Why a cell of several ranks cannot run here; each function is a need of a technique (`suite.registry`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.distributed as dist

from suite.core.errors import UnavailableError
from suite.core.machine.core import allowed_cores
from suite.training.distributed.sequence_norms import normed_pairs
from suite.training.distributed.staged import stages_of
from suite.training.distributed.tensor_pairs import pairs_of
from suite.training.loop import built

Missing = Callable[[Any], str | None]


def needs(*others: str | Missing) -> tuple[str | Missing, ...]:
    """What every distributed technique needs, and ``others``."""
    return ("training", "fork", has_gloo, on_cpu, core_each, *others)


def has_gloo(_case: Any) -> str | None:
    """Whether this build of torch has the collectives of CPUs."""
    return None if dist.is_available() and dist.is_gloo_available() else "this build of torch has no gloo collectives"


def on_cpu(case: Any) -> str | None:
    """Ranks are forks of a process that has used its device, which CUDA forbids."""
    if case.cell.device.startswith("cpu"):
        return None
    return f"ranks are forks, which cannot use {case.cell.device} after their parent has; use --device cpu"


def core_each(case: Any) -> str | None:
    """Ranks that take turns on a core would be timed for it."""
    cores = len(allowed_cores())
    ranks = case.cell.ranks
    return None if ranks <= cores else f"{ranks} ranks need {ranks} cores, and this process may use {cores}"


def whole_gradients(case: Any) -> str | None:
    """A hook of the optimizer, such as clipping by norm, reads all gradients; a rank has those of its part."""
    plain = _plain(case)
    optimizer = plain.optimizer(built(plain, 0).parameters(), plain.learning_rate)
    if not optimizer._optimizer_step_pre_hooks:  # noqa: SLF001  # no public way to ask
        return None
    return (
        f"the optimizer of {case.workload.name} has a hook on all gradients (clipping by norm), and a rank has "
        "those of its part alone"
    )


def has_stages(case: Any) -> str | None:
    """Whether the network is a chain of as many stages as ranks."""
    return _refusal(lambda: stages_of(built(_plain(case), 0), case.cell.ranks))


def has_pairs(case: Any) -> str | None:
    """Whether the network has Linear layers in a row that as many ranks can divide."""
    return has_pairs_of(case.cell.ranks)(case)


def has_pairs_of(parts: int) -> Missing:
    """The need of Linear layers in a row that ``parts`` ranks can divide."""

    def missing(case: Any) -> str | None:
        return _refusal(lambda: pairs_of(built(_plain(case), 0), parts))

    return missing


def has_norms(case: Any) -> str | None:
    """Whether the network has normalisations before such Linear layers."""
    return _refusal(lambda: normed_pairs(built(_plain(case), 0), case.cell.ranks))


def _plain(case: Any) -> Any:
    return case.workload.plain(0)


def _refusal(action: Callable[[], object]) -> str | None:
    try:
        action()
    except UnavailableError as error:
        return str(error)
    return None
