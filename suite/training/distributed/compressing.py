"""Data parallelism with a communication hook that compresses gradients, and the check that it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from suite.core.errors import TechniqueError
from suite.training.distributed.in_ranks import RankForm
from suite.training.distributed.traffic import ring_bytes, sent_bytes
from suite.training.recipe import Trainee

MOST_SENT = 0.9  # of what uncompressed gradients need: half of it, and the heads of messages of small networks
ONE_BUCKET = 1 << 20  # MiB: PowerSGD's later collectives start in callbacks, whose order over buckets differs by rank
FIRST = 2  # step from which PowerSGD compresses; with error feedback not earlier

Hook = Callable[[Any, Any], Any]
Maker = Callable[[int], tuple[Any, Hook]]


def _powersgd(columns: int) -> tuple[Any, Hook]:
    from torch.distributed.algorithms.ddp_comm_hooks import powerSGD_hook as power

    state = power.PowerSGDState(None, matrix_approximation_rank=columns, start_powerSGD_iter=FIRST)  # None: all ranks
    return state, power.powerSGD_hook


def _cast(name: str) -> Maker:
    def make(_columns: int) -> tuple[Any, Hook]:
        from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

        return None, getattr(default_hooks, f"{name}_compress_hook")

    return make


HOOKS: Mapping[str, Maker] = {"fp16": _cast("fp16"), "bf16": _cast("bf16"), "powersgd": _powersgd}


class CompressedParallel:
    """Wraps a network in `DistributedDataParallel` with the hook of a name; PowerSGD's matrices have ``columns``."""

    def __init__(self, hook: str, columns: int) -> None:
        self.hook, self.columns = hook, columns

    def __call__(self, network: nn.Module) -> CountedParallel:
        return CountedParallel(network, *HOOKS[self.hook](self.columns), name=self.hook)


class CountedParallel:
    """Calls a wrapped network, and counts the gradients that its hook is given and the bytes that are sent."""

    def __init__(self, network: nn.Module, state: Any, hook: Hook, *, name: str) -> None:
        self.state, self.name, self._hook = state, name, hook
        self.payload = 0
        self._sent_before: int | None = None
        self.form: DistributedDataParallel = DistributedDataParallel(network, bucket_cap_mb=ONE_BUCKET)
        self.form.register_comm_hook(self, _counted)

    def __call__(self, inputs: Any) -> Any:
        return self.form(inputs)

    def reduce(self, bucket: Any) -> Any:
        """What the hook makes of a bucket of gradients."""
        if self._sent_before is None:
            self._sent_before = sent_bytes()
        self.payload += bucket.buffer().nbytes
        return self._hook(self.state, bucket)

    @property
    def sent_share(self) -> float | None:
        """Bytes sent by this rank, as a share of what the uncompressed gradients need; ``None`` where unknown."""
        now = sent_bytes()
        if now is None or self._sent_before is None or self.payload == 0:
            return None
        return (now - self._sent_before) / ring_bytes(self.payload, dist.get_world_size())

    @property
    def element_ratio(self) -> float | None:
        """PowerSGD's own statistics: how many times fewer elements it sent since it began to compress."""
        return float(self.state.compression_stats()[0]) if hasattr(self.state, "compression_stats") else None


def _counted(form, bucket):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # torch refuses annotations as texts
    return form.reduce(bucket)


def check_compression(trainee: Trainee) -> None:
    """Raise `TechniqueError` if a rank sent as much as without the hook: the technique's name would be wrong."""
    form = trainee.forward.wrapped if isinstance(trainee.forward, RankForm) else None
    if not isinstance(form, CountedParallel):
        return
    if form.element_ratio is not None and form.element_ratio <= 1:
        raise TechniqueError(
            f"ddp_hook: {form.name} sends all elements of the gradients (compression {form.element_ratio:.3g}): it "
            f"begins at step {FIRST}, and the network's matrices are too small for its rank; give it a smaller rank"
        )
    share = form.sent_share
    if share is not None and share > MOST_SENT:
        raise TechniqueError(f"ddp_hook: with {form.name} a rank sent {share:.0%} of the uncompressed gradients' bytes")
