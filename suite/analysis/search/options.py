"""Options of a search on the command line; the quiet process is sent the same record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from suite.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The command line of a search. ``trials`` are those of the storage in all, ``minutes`` those of this process."""

    workload: str
    minimise: tuple[str, ...] = ()
    maximise: tuple[str, ...] = ()
    budget: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    technique: tuple[str, ...] = ()
    most: int = 4
    trials: int = 40
    minutes: float | None = None
    storage: str | None = None
    seed: int = 0
    device: str = "auto"
    finalists: int | None = None
    final_seeds: int = 5
    reports_dir: str = "reports"
    load: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("final_seeds", 1), ("finalists", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"--{name.replace('_', '-')}={value} must be at least {least}")
        if self.minutes is not None and not self.minutes > 0:
            raise UsageError(f"--minutes={self.minutes} must be more than 0")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> SearchOptions:
        """From values by name; lists are tuples then. Raises `UsageError` for a number out of range."""
        own: dict[str, Any] = {name: given[name] for name in cls.__dataclass_fields__}
        listed: dict[str, Any] = {name: tuple(value) for name, value in own.items() if isinstance(value, list)}
        return cls(**{**own, **listed})
