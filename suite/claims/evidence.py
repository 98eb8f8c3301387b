"""What a predicate's figures are taken from: the measurements of one run, and facts that are computed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from suite.claims.facts import FACTS
from suite.claims.predicate import Missing
from suite.claims.quantities import Quantity
from suite.core.errors import SuiteError, UnavailableError
from suite.core.metrics import METRICS
from suite.core.records import CellFailure, Measurement

Key = tuple[str, str, str]  # workload, technique, metric


@dataclass(kw_only=True)
class Evidence:
    """Figures of a run: ``measured`` by cell and metric, ``failed`` cells with their reasons.

    ``canonical`` spells a composition as results do. With ``quick``, facts that train or time something are missing.
    ``asked`` collects what predicates have asked for.
    """

    measured: Mapping[Key, Measurement] = field(default_factory=dict)
    failed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    canonical: Callable[[str], str] = str
    quick: bool = False
    asked: dict[Key, Measurement] = field(default_factory=dict)
    _facts: dict[tuple[object, ...], float | Quantity | Missing] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        measurements: Iterable[Measurement],
        failures: Iterable[CellFailure] = (),
        *,
        canonical: Callable[[str], str] = str,
        quick: bool = False,
    ) -> Evidence:
        """Of the records of a run."""
        measured = {(one.cell.workload, one.cell.technique, one.metric): one for one in measurements}
        failed = {(one.cell.workload, one.cell.technique): one.reason for one in failures}
        return cls(measured=measured, failed=failed, canonical=canonical, quick=quick)

    def without_seeds(self, seeds: Sequence[int]) -> Evidence:
        """The same figures without the seeds on which a setting was chosen; what has no others is missing."""
        kept = {key: _without(one, frozenset(seeds)) for key, one in self.measured.items()}
        return replace(self, measured={key: one for key, one in kept.items() if one is not None})

    def metric(self, name: str, cell: str) -> Quantity:
        """Raises `Missing` with what is not there and why."""
        workload, _, text = cell.partition("/")
        technique = self.canonical(text)
        found = self.measured.get((workload, technique, name))
        if found is None:
            reason = self.failed.get((workload, technique))
            raise Missing(reason or f"{name} of {workload}/{technique} was not measured")
        if found.suspect:
            raise Missing(f"{name} of {workload}/{technique} cannot be trusted: {found.suspect}")
        self.asked[workload, technique, name] = found
        return quantity(found)

    def fact(self, name: str, arguments: Sequence[float | str]) -> float | Quantity:
        """Raises `Missing` where it cannot be computed here."""
        key = (name, *arguments)
        if key not in self._facts:
            self._facts[key] = self._computed(name, arguments)
        found = self._facts[key]
        if isinstance(found, Missing):
            raise found
        return found

    def _computed(self, name: str, arguments: Sequence[float | str]) -> float | Quantity | Missing:
        if self.quick and FACTS[name].slow:
            return Missing(f"{name} takes longer than a quick ledger: run without --quick")
        try:
            return FACTS[name].compute(*arguments)
        except UnavailableError as error:
            return Missing(str(error))
        except SuiteError:
            raise
        except ImportError as error:
            return Missing(f"{name}: {error.name or error} is not installed")


def quantity(found: Measurement) -> Quantity:
    """A measurement as a figure of a claim: counts are points, times and scores have their intervals."""
    row = METRICS.get(found.metric)
    exact = found.low is None and found.group == "size" and (row is None or row.group == "size")
    return Quantity(
        value=found.value, low=found.low, high=found.high, confidence=found.confidence or 0.95, exact=exact,
        by_seed=found.by_seed,
    )  # fmt: skip


def _without(found: Measurement, seeds: frozenset[int]) -> Measurement | None:
    """The measurement over its other seeds; its interval grows with the root of what is left out."""
    if not found.seeds or not seeds & set(found.seeds):
        return found
    pairs = zip(found.seeds, found.by_seed, strict=False)
    kept = {seed: value for seed, value in pairs if seed not in seeds}
    if not kept:
        return None
    value, wider = fmean(kept.values()), (len(found.seeds) / len(kept)) ** 0.5
    low, high = (None if end is None else value + wider * (end - found.value) for end in (found.low, found.high))
    return replace(found, value=value, low=low, high=high, seeds=tuple(kept), by_seed=tuple(kept.values()))
