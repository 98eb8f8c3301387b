"""A user's request for a run: option values turned into a selection of cells, a measuring plan, and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suite.bench import edge_profile
from suite.bench.combinations import combinations
from suite.bench.options import DEFAULT_SEEDS, Options
from suite.bench.selection import Profile, Selection
from suite.bench.shard import choose
from suite.core.errors import SetupError, SuiteError
from suite.core.records import TIERS
from suite.registry.settings import found_expect_dir, keeps_history, prices_file

if TYPE_CHECKING:
    from suite.bench.bench import Plan
    from suite.bench.resolved_cell import Case
    from suite.registry import Registry

RECORDED_PROCESSES = 5


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """Values of `suite.bench.option_table.OPTIONS` by key, as the pytest plugin parsed them."""

    given: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __getattr__(self, key: str) -> Any:
        if key in self.given:
            return self.given[key]
        raise AttributeError(f"no option {key!r}; known: {', '.join(self.given)}")

    @property
    def profile(self) -> Profile:
        """Raises `SuiteError` for two of them."""
        if self.quick and self.full:
            raise SuiteError("--quick and --full exclude each other; give one of them")
        return "quick" if self.quick else "full" if self.full else "default"

    @property
    def records(self) -> bool:
        """Whether the values become expectations."""
        return bool(self.expect == "record")

    @property
    def complete(self) -> bool:
        """Whether the run has to measure all that it plans."""
        return self.expect in ("gate", "record") and not self.partial

    def selection(self, registry: Registry, device: str) -> Selection:
        """Which cells run on ``device``. Raises `SuiteError` for options that contradict each other."""
        if self.combinations and self.technique:
            raise SuiteError("--combinations chooses compositions, and so does --technique; give one of them")
        known = tuple(combinations(registry, Path.cwd()))  # a fault in a user's own is found in any run
        return self._selection(device, known if self.combinations or self.full else ())

    def _selection(self, device: str, known: Sequence[str]) -> Selection:
        return Selection(
            device=device, workloads=self.workload, techniques=self.technique, precision=self.precision,
            profile=self.profile, sweep=self.sweep, combinations=known,
            together=self.combinations, batch=None if self.edge is None else edge_profile.BATCH,
        )  # fmt: skip

    def plan(self) -> Plan:
        """How each cell is measured. Raises `SuiteError` for counts below one."""
        from suite.bench.bench import Plan  # loads torch

        for name in ("seeds", "processes"):
            if self.given[name] is not None and self.given[name] < 1:
                raise SetupError(f"--{name} must be at least 1, got {self.given[name]}")
        profile = self.profile
        return Plan(
            profile=profile,
            seeds=self.seeds or DEFAULT_SEEDS,
            few=self.seeds is None and (profile == "quick" or (profile == "default" and not self.records)),
            processes=self.processes or (RECORDED_PROCESSES if self.records and profile != "quick" else 1),
            memory_cap=None if self.edge is None else edge_profile.cap(self.edge),
            slow=self.slow or profile == "full" or bool(self.technique),
            count=self.count or self.instructions,
            instructions=self.instructions,
        )

    def part(self, cases: Sequence[Case]) -> tuple[list[Case], str]:
        """The cases of this run's shard and how its header names it; all and nothing without ``--shard``.

        Raises `SuiteError` for a shard without a cell, and for one that would record a part as if it were all.
        """
        from suite.report.results.durations import seconds_of

        if self.shard is None:
            if self.durations is not None:
                raise SetupError("--durations balances shards; add --shard 1/2 or leave it out")
            return list(cases), ""
        if self.records:
            raise SetupError("a shard records nothing: merge the shards and use `suite record` on the merged folder")
        taken, label = choose(self.shard, cases, {} if self.durations is None else seconds_of(self.durations))
        return taken, str(label)

    def options(self, command: str) -> Options:
        """How the run treats its values and where it keeps them."""
        selection = self._selection("", ())  # what was named; combinations have no part in that
        return Options(
            **policies(self.given),
            expect_dir=self.expect_dir or found_expect_dir(),
            partial=self.partial,
            everything=selection.is_everything and self.shard is None,
            workloads=tuple(selection.workloads),
            reports_dir=self.reports_dir,
            max_minutes=self.max_minutes,
            reuse=(self.cache_dir or self.reports_dir / "cache") if self.reuse else None,
            history=self.history or keeps_history(Path.cwd()),
            prices=self.prices or prices_file(Path.cwd()),
            load=tuple(self.load),
            chosen=(*selection.workloads, *selection.techniques, selection.precision, *_modes(selection)),
            command=command,
            given=self.given,
        )


def policies(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Options` that decide which verdicts fail; the command line's parent process needs no more."""
    return {
        "expect": given["expect"],
        "unverified": given["unverified"],
        "inconclusive": given["inconclusive"],
        "unavailable": given["unavailable"],
        "allow_improvement": given["allow_improvement"],
        "gate_tiers": tuple(given["gate_tier"]) or TIERS,
        "resume": given["resume"],
    }


def _modes(selection: Selection) -> Sequence[str]:
    """What else was chosen beside names."""
    return ["sweep"] * selection.sweep + ["combinations"] * selection.together
