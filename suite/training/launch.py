"""Where a network is trained: the slot ``launch`` of a recipe, and the number of ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from suite.core.errors import TechniqueError
from suite.training.fingerprints import fingerprint

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ONE_PROCESS", "Launch", "OneProcess", "launched"]

T = TypeVar("T")


class Launch(Protocol):
    """Runs a training in one process or in several at once."""

    @property
    def ranks(self) -> int:
        """How many processes train together. A technique of several has a parameter ``ranks`` with this value."""

    def run(self, train: Callable[[], T], network: nn.Module) -> T:
        """Call ``train()`` once in every rank and return what rank 0 returned, as it is.

        ``train`` trains ``network`` in place. When ``run`` returns, ``network`` has the weights and buffers of rank 0.
        Nothing else trains it, before or after: training costs what ``train`` says. What ``train`` returns is made of
        numbers, tuples, lists and frozen records: it can be pickled. Raises `RuntimeError` that names the rank if a
        rank fails.
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


def launched(launch: Launch, train: Callable[[], T], network: nn.Module) -> T:
    """What ``train()`` returns, called by ``launch``.

    Raises `TechniqueError` if the launch calls it more than once, or if the weights before or after it are others than
    those that it begins or ends with: then its seconds are not what the training costs.
    """
    if launch is ONE_PROCESS:
        return train()
    once = _Once(train, network, f"the technique's launch {type(launch).__qualname__}")
    return once.told(launch.run(once, network))


@dataclass(frozen=True)
class _Told(Generic[T]):
    """What a training returned, with the fingerprint of the network and of this at its end."""

    value: T
    end: str


class _Once(Generic[T]):
    """A training that can be called once in a process."""

    def __init__(self, train: Callable[[], T], network: nn.Module, launch: str) -> None:
        self.train, self.network, self.launch = train, network, launch
        self.calls, self.begin = 0, fingerprint(network)

    def __call__(self) -> _Told[T]:
        self.calls += 1
        self._check_calls()
        if fingerprint(self.network) != self.begin:
            raise TechniqueError(f"{self.launch} changes the weights before it calls train()")
        value = self.train()
        return _Told(value, fingerprint(self.network, repr(value)))

    def told(self, found: object) -> T:
        """What the training returned; ``found`` is what the launch did."""
        self._check_calls()
        if not isinstance(found, _Told):
            raise TechniqueError(f"{self.launch} must return what train() returned, it returned {found!r}")
        if found.end != fingerprint(self.network, repr(found.value)):
            raise TechniqueError(
                f"{self.launch} leaves other weights or another result than train() ended with: what it does to the "
                "network after that is not on the training clock"
            )
        value: T = found.value
        return value

    def _check_calls(self) -> None:
        if self.calls > 1:
            raise TechniqueError(f"{self.launch} calls train() more than once, and its seconds are those of one call")
