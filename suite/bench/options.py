"""How a run treats its figures and where it keeps them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from suite.core.records import TIERS, Tier
from suite.gate.policy import Policy

Expect = Literal["gate", "report", "record", "off"]
DEFAULT_SEEDS = 5
COMMAND = "SUITE_COMMAND"  # environment variable: the command line that started this process
ENDED = "SUITE_ENDED"  # environment variable: the file into which a run writes its exit code when it comes to its end


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says of a run. ``inconclusive=None`` lets a few pass and fails a gate that saw too little.
    ``allow_improvement`` lets figures pass that lie beyond their favourable bound.

    ``partial`` allows a gate over a part of what is planned (``-k``, ``-m``); ``everything`` says that no cell of
    ``workloads`` (empty: all) was left out by name, so that every entry stored for them has to be answered.
    """

    expect: Expect = "gate"
    expect_dir: Path = Path("expectations")
    unverified: Policy = "report"
    inconclusive: Policy | None = None
    unavailable: Policy = "report"
    allow_improvement: bool = False
    partial: bool = False
    everything: bool = False
    workloads: tuple[str, ...] = ()
    reports_dir: Path = Path("reports")
    command: str = ""
    resume: Path | None = None
    reuse: Path | None = None
    """The folder of kept trainings, where they may be reused."""
    max_minutes: float | None = None
    """How long the run may take: cells that would not fit are left out, and the run is then partial."""
    history: bool = False
    """Whether the figures are added to the history of the machine, below ``reports_dir``."""
    prices: Path | None = None
    """A file of prices, with which the tables have costs."""
    load: tuple[str, ...] = ()
    """Modules that the user named on the command line."""
    gate_tiers: tuple[Tier, ...] = TIERS
    """Only figures of these tiers can fail a gate; the others are judged and reported."""
    chosen: tuple[str, ...] = ()
    """What was asked for by name (workloads, techniques, precision): a resumed run goes on with the same."""
    shard: str = ""
    """The part of a larger run that this one is, as its header names it."""
    given: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """Every option's value by its key, as it was given."""

    @property
    def gates(self) -> bool:
        return self.expect == "gate"


@contextmanager
def tolerant_of_warnings() -> Iterator[None]:
    """A user's ``filterwarnings = error`` is about their code, not about the deprecations of torch's own parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
