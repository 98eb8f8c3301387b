"""What a predicate's figures are taken from: the measurements of one run, and facts that are computed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev

from suite.claims.elsewhere import Elsewhere
from suite.claims.facts import FACTS
from suite.claims.predicate import Missing
from suite.claims.quantities import Quantity, quantile
from suite.core.errors import SetupError, SuiteError, UnavailableError, UsageError
from suite.core.metrics import is_paired
from suite.core.records import CellFailure, Measurement

IMPOSSIBLE = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError)
"""What facts raise for arguments that make no sense, such as a size of 1e9 (torch: `RuntimeError`)."""
Key = tuple[str, str, str]  # workload, technique, metric


@dataclass(kw_only=True)
class ClaimEvidence:
    """Figures of a run: ``measured`` by cell and metric, ``failed`` cells with their reasons.

    ``canonical`` spells a composition as results do. With ``quick``, facts that train or time something are missing.
    ``asked`` collects what predicates have asked for. ``elsewhere`` is the machine that was measured, if it is not this
    one: no fact of this machine is evidence then.
    """

    measured: Mapping[Key, Measurement] = field(default_factory=dict)
    failed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    canonical: Callable[[str], str] = str
    quick: bool = False
    elsewhere: Elsewhere | None = None
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
        elsewhere: Elsewhere | None = None,
    ) -> ClaimEvidence:
        """Of the records of a run."""
        measured: dict[Key, Measurement] = {}
        for one in measurements:
            key = one.cell.workload, one.cell.technique, one.metric
            if key in measured and measured[key] != one:
                raise UsageError(
                    f"{one.metric} of {one.cell.workload}/{one.cell.technique} is in the results twice: on "
                    f"{measured[key].cell.device} and {one.cell.device}, or in two runs; give one of them"
                )
            measured[key] = one
        failed = {(one.cell.workload, one.cell.technique): one.reason for one in failures}
        return cls(measured=measured, failed=failed, canonical=canonical, quick=quick, elsewhere=elsewhere)

    def without_seeds(self, seeds: Sequence[int]) -> ClaimEvidence:
        """The same figures without the seeds on which a setting was chosen; what has no others is missing."""
        kept = {key: _without(one, frozenset(seeds)) for key, one in self.measured.items()}
        return replace(self, measured={key: one for key, one in kept.items() if one is not None})

    def changed(
        self, measured: Callable[[Measurement], Measurement], computed: Callable[[Quantity], Quantity]
    ) -> ClaimEvidence:
        """The same evidence with every measurement, and every computed figure with an interval, as these make it."""
        facts = {key: computed(one) if isinstance(one, Quantity) else one for key, one in self._facts.items()}
        return replace(
            self, measured={key: measured(one) for key, one in self.measured.items()}, asked={}, _facts=facts
        )  # fmt: skip

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
        try:
            there = self.elsewhere.fact(name, arguments) if self.elsewhere else None
            if there is not None:
                return there
            if self.quick and FACTS[name].slow:
                return Missing(f"{name} takes longer than a quick ledger: run without --quick")
            return FACTS[name].compute(*arguments)
        except Missing as missing:
            return missing
        except (UnavailableError, SetupError) as error:
            return Missing(str(error))
        except SuiteError:
            raise
        except IMPOSSIBLE as error:
            given = ", ".join(map(repr, arguments))
            raise UsageError(f"{name}({given}) cannot be computed: {error}") from error
        except ImportError as error:
            return Missing(f"{name}: {error.name or error} is not installed")


def quantity(found: Measurement) -> Quantity:
    """A measurement as a figure of a claim: counts are points, times and scores have their intervals.

    A ratio of times is a median of ``n`` rounds, whose order supports levels up to ``1 - 2 ** (1 - n)``. The interval
    over seeds, or over fresh processes, is Student's.
    """
    exact = found.low is None and found.group == "size"
    repeats = len(found.by_seed) or len(found.seeds) or found.processes
    freedom = repeats - 1 if repeats > 1 else None
    most = 1 - 2.0 ** (1 - found.n) if is_paired(found.metric) else 1.0
    return Quantity(
        value=found.value, low=found.low, high=found.high, confidence=found.confidence or 0.95, exact=exact,
        by_seed=found.by_seed, freedom=freedom, most=most,
    )  # fmt: skip


def _without(found: Measurement, seeds: frozenset[int]) -> Measurement | None:
    """The measurement over its other seeds, with the wider of two intervals.

    One is the old one, which grows with the root of what is left out, the other Student's over the seeds that are
    left. A single seed has none.
    """
    if not found.seeds or not seeds & set(found.seeds):
        return found
    kept = {s: value for s, value in zip(found.seeds, found.by_seed, strict=False) if s not in seeds}
    if not kept:
        return None
    values = list(kept.values())
    value = fmean(values)
    low, high = _wider(found, values) if len(values) > 1 else (None, None)
    return replace(found, value=value, low=low, high=high, seeds=tuple(kept), by_seed=tuple(values))


def _wider(found: Measurement, values: Sequence[float]) -> tuple[float | None, float | None]:
    if found.low is None or found.high is None:
        return None, None
    value, level = fmean(values), found.confidence or 0.95
    own = quantile(level, len(values) - 1) * stdev(values) / len(values) ** 0.5
    grown = (len(found.seeds) / len(values)) ** 0.5
    return value - max(own, grown * (found.value - found.low)), value + max(own, grown * (found.high - found.value))
