"""Where a network is trained: the slot ``launch`` of a recipe, and the number of ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ONE_PROCESS", "Launch", "OneProcess"]

T = TypeVar("T")


class Launch(Protocol):
    """Runs a training in one process or in several at once."""

    @property
    def ranks(self) -> int:
        """How many processes train together. A technique of several has a parameter ``ranks`` with this value."""

    def run(self, train: Callable[[], T], network: nn.Module) -> T:
        """Call ``train()`` in every rank and return what rank 0 returned.

        ``train`` trains ``network`` in place. When ``run`` returns, ``network`` has the weights and buffers of rank 0.
        What ``train`` returns is made of numbers, tuples, lists and frozen records: it can be pickled. Raises
        `RuntimeError` that names the rank if a rank fails.
        """


@dataclass(frozen=True, eq=False)
class OneProcess:
    """Trains in this process."""

    @property
    def ranks(self) -> int:
        return 1

    def run(self, train: Callable[[], T], network: nn.Module) -> T:  # noqa: ARG002  # others have to copy its weights
        return train()


ONE_PROCESS = OneProcess()
