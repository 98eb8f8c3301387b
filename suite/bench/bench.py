"""Measures the groups of metrics of one case after the other; each trained network is shared by all that need it."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from suite.bench import edge_profile, integrity, requirements
from suite.bench.flag_guard import unchanged_flags
from suite.bench.pace import require_pace
from suite.bench.preflight.leaks import check_data
from suite.bench.preflight.repeats import remarks
from suite.bench.preflight.technique import CellChecks, is_ours
from suite.bench.preflight.workload import check_workload
from suite.bench.resolved_cell import Case, Part
from suite.bench.selection import Profile
from suite.bench.trained_store import Reporter, TrainedStore
from suite.bench.training_cache import Trainings, marked
from suite.bench.workers.fresh_processes import LEAST_PROCESSES, FreshProcessError, Workers, replicated
from suite.bench.workers.protocol import FIRST_SEED, Speed
from suite.core import garbage
from suite.core.errors import ImplausibleError, SetupError, UnavailableError
from suite.core.phases import phase
from suite.core.records import Cell, Group, Measurement
from suite.measure import counts, device_memory, memory, quality, size, speed
from suite.measure.arms import BASE, TECHNIQUE, Arm, serving_arms
from suite.measure.artefacts import check_artefact, check_files, check_growth, check_parameters
from suite.measure.ceilings import ceilings
from suite.measure.counting.compiler import Compiled
from suite.measure.integrity.outputs import Judged, check_rate, check_unchanged, same_bits
from suite.measure.macs import macs
from suite.measure.sampler.timing import Sample
from suite.measure.saturation import saturating_batch
from suite.measure.scoring.items import Outcome
from suite.registry import Composition, Registry, Workload
from suite.training import invariants
from suite.training.devices import select_device
from suite.training.loop import Trained
from suite.training.recipe import Recipe, Reference
from suite.training.runtime import InTorch
from suite.training.serving import Served, serve, warm_up
from suite.training.trees import Tree, fill_up

KeepSamples = Callable[[Cell, str, Mapping[str, np.ndarray[Any, Any]]], str | None]  # returns the name they have

TRAINED: tuple[Group, ...] = ("quality", "size")  # groups whose figures are those of the trained weights
SAME_ANSWERS = frozenset(
    {"deploy", "runtime", "layout", "flags"}
)  # what changes only these answers like the trained network
RISE = "peak_rss_rise"
NO_BOUNDS: speed.Bounds = MappingProxyType({})
SLOWED = 2.0  # times the baseline's time in other cells of a run: machines vary by a third within hours
BASELINE_SEEDS = 3  # of a run of few seeds: every technique is compared with it


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured. ``processes`` counts this one; ``fresh`` adds the passes in processes of their own.

    ``few`` takes of ``seeds`` one for each technique and three for the baseline, as quick plans do unless they are
    told otherwise: a seed is compared with what is stored of the same seed. ``memory_cap`` are the bytes by which
    serving may raise the resident set, in the edge profile. ``slow`` trains what takes many times as long as its
    control, too (`suite.bench.pace`). ``count`` counts the work of a served call and of a training step
    (`suite.measure.counts`), ``instructions`` their instructions under valgrind.
    """

    profile: Profile = "default"
    seeds: int = 5
    few: bool | None = None
    processes: int = 1
    memory_cap: int | None = None
    slow: bool = True
    count: bool = False
    instructions: bool = False

    @property
    def fresh(self) -> bool:
        return self.profile != "quick" or self.processes > 1

    @property
    def budget(self) -> speed.SamplingBudget:
        return speed.QUICK if self.profile == "quick" else speed.DEFAULT

    def serving_budget(self, case: Case) -> speed.SamplingBudget:
        """A short look at a network of the baseline's architecture, which takes as long as the baseline."""
        if case.serves_differently:
            return self.budget
        return speed.SAME if self.profile == "quick" else speed.QUICK

    @property
    def trains_few(self) -> bool:
        """Whether a technique gets one seed: what ``few`` says, or else whether the plan is a quick one."""
        return self.profile == "quick" if self.few is None else self.few

    def seeds_of(self, *, baseline: bool) -> range:
        """The seeds that are trained of a technique, or of the baseline."""
        return range(min(self.seeds, BASELINE_SEEDS if baseline else 1) if self.trains_few else self.seeds)


@dataclass(kw_only=True)
class Bench(AbstractContextManager["Bench"]):
    """Measures cases one after the other; trained networks are shared by a case's groups and with its control.

    ``saturating`` holds, by workload, the batch that saturates an accelerator: known from stored expectations, else
    searched once. Of the workloads in ``settled`` this machine's scores of the baseline's first seed are stored: a run
    of few seeds trains no more of them.
    """

    registry: Registry
    device: str
    plan: Plan
    keep: KeepSamples = lambda _cell, _name, _columns: None
    reporter: Reporter = lambda _workload, _composition: None
    starting: Callable[[str], None] = lambda _what: None
    """Is called before a fresh process starts, with its number and what it measures."""
    saturating: dict[str, int] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    cache: Trainings | None = None
    """Trainings of earlier runs."""
    store: TrainedStore = field(init=False)
    remarks: list[str] = field(default_factory=list)
    """What the preflight saw and does not refuse: what does not repeat, was not loaded, or is outside the network."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """The paired samples of the speed group that was measured last."""
    _workers: Workers | None = None
    _served: dict[tuple[str, str], Served] = field(default_factory=dict)
    _compiled: dict[tuple[str, str], Compiled | None] = field(default_factory=dict)
    _outcomes: dict[tuple[str, str], dict[int, Outcome]] = field(default_factory=dict)
    _answers: dict[tuple[str, str], Judged] = field(default_factory=dict)
    _able: set[Cell] = field(default_factory=set)
    _unable: dict[Cell, UnavailableError] = field(default_factory=dict)
    _checks: CellChecks = field(init=False)
    _rises: dict[Cell, Measurement] = field(default_factory=dict)
    _paces: dict[tuple[str, str], float] = field(default_factory=dict)
    _moving: dict[str, frozenset[str]] = field(default_factory=dict)
    _methods: integrity.Methods = field(default_factory=integrity.Methods.now)

    def __post_init__(self) -> None:
        select_device(self.device)
        self.store = TrainedStore(registry=self.registry, device=self.device, reporter=self.reporter, cache=self.cache)
        self._checks = CellChecks(registry=self.registry, device=self.device)

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.close()

    def forget_samples(self) -> None:
        """Before a group is measured: `samples` are those of the group that was measured last."""
        self.samples = {}

    def measure(self, case: Case, group: Group, bounds: speed.Bounds | None = None) -> list[Measurement]:
        """All metrics of one group of a case; where they cannot be told from ``bounds`` more is measured.

        Raises `UnavailableError` if the cell cannot run here; whatever a technique raises passes through.
        """
        self.require(case)
        groups: Mapping[Group, Callable[[Case], list[Measurement]]] = {
            "quality": self._quality,
            "size": self._size,
            "speed": lambda case: self._speed(case, bounds or {}),
            "memory": lambda case: self._memory(case, bounds or {}),
        }
        with unchanged_flags(case):
            self._require_memory(case)
            found = self._under_cap(groups[group](case))
        self._check_baseline(case)
        names = {case.composition.name, case.control.name}
        return marked(found, reused=group in TRAINED and self.store.reuses(case.workload.name, names))

    def _check_baseline(self, case: Case) -> None:
        """Raise `ImplausibleError` if the technique changed the baseline's network, or methods that it calls."""
        state = self.store.states.get(case.workload.name)
        if state is not None and not case.composition.is_baseline:
            integrity.check_baseline(
                self._base(case).network, state, self._methods, case.composition.name,
                moving=self._moving.get(case.workload.name, frozenset()),
            )  # fmt: skip

    def preflight(self, cases: Sequence[Case]) -> dict[str, str]:
        """Try one step and one answer of each case before anything trains; by workload, what is wrong with it.

        A case whose technique cannot take the network is unavailable from now on.
        """
        faults: dict[str, str] = {}
        with phase("testing"):
            for workload in {case.workload.name: case.workload for case in cases}.values():
                try:
                    seen = check_workload(workload, self.device)
                    self.remarks += [*seen.remarks, *remarks(workload)]
                    self._moving[workload.name] = seen.moving
                except SetupError as error:
                    faults[workload.name] = str(error)
            for case in cases:
                if case.workload.name not in faults:
                    self._preflight(case)
        self._checks.clear()
        return faults

    def _preflight(self, case: Case) -> None:
        """A control that cannot be trained is none: then nothing can be said of the technique."""
        said = self._limit(case)
        control = case.as_control if said is None else None
        if control is not None and (limit := self._limit(control)) is not None:
            said = type(limit)(f"{case.composition}: its control cannot be measured: {limit}")
        if said is not None:
            self._unable[case.cell] = said

    def _limit(self, case: Case) -> UnavailableError | None:
        try:
            requirements.require(case, self.store.plain(case.workload, 0))
            if case.cell not in self._checks.tried:
                self._checks.check(case)
        except UnavailableError as error:
            return error
        except Exception:  # noqa: BLE001  # told in its own cell, where it is raised again
            return None
        return None

    def require(self, case: Case) -> None:
        """Raise `UnavailableError` with the reason if something that the cell needs is missing here."""
        if case.cell in self._unable:
            raise self._unable[case.cell]
        if case.cell not in self._able:
            plain = self.store.plain(case.workload, 0)
            requirements.require(case, plain)
            check_data(case.composition, plain)
            if case.cell not in self._checks.tried:
                requirements.require_structure(case, case.composition.apply(plain))
            try:
                self._require_pace(case, plain)
            except UnavailableError as error:
                self._unable[case.cell] = error  # its other groups say the same without timing it again
                raise
            self._able.add(case.cell)

    def _require_pace(self, case: Case, plain: Recipe) -> None:
        if self.plan.slow or not case.trains_differently or case.composition.is_baseline or not case.workload.trains:
            return
        ours, control = (composition.apply(plain) for composition in (case.composition, case.control))
        require_pace(case, ours, control, self._reference(case))

    def release(self, case: Case, following: Case | None) -> None:
        """Free what the next case does not share."""
        garbage.take_back()
        same = following is not None and following.workload.name == case.workload.name
        if self._workers is not None:
            self._workers.forget(case.workload.name if same else None)
        if same:
            self.store.release(case.workload)
            self._served = {key: one for key, one in self._served.items() if self.registry.resolve(key[1]).is_baseline}
            self._answers = {key: one for key, one in self._answers.items() if key in self._served}
        else:
            self.store.clear()
            self._served.clear()
            self._outcomes.clear()
            self._answers.clear()
        if "torch._dynamo" in sys.modules:  # otherwise nothing was compiled, and importing it takes seconds
            torch._dynamo.reset()  # noqa: SLF001  # the documented way to free compiled code
        self._free_device()
        garbage.set_aside()

    def repeat(self, case: Case, bounds: speed.Bounds | None = None) -> Mapping[str, Measurement]:
        """The timed metrics once more, for as long as before, in one fresh quiet process."""
        budget = replace(self.plan.budget, energy=0.0)  # only ratios are asked for again
        found = self._in_processes(case, 1, budget, case.timeable, bounds or {})[0]
        return {one.metric: one for one in self._under_cap(list(found.values()))}

    # -- groups -------------------------------------------------------------------------------------------------

    def _quality(self, case: Case) -> list[Measurement]:
        found = self._output_error(case)
        if case.workload.scores:
            seeds = self._seeds(case)
            ours = self._outcomes_of(case.workload, case.composition, seeds)
            theirs = self._outcomes_of(case.workload, case.control, seeds)
            found += quality.quality(case.cell, case.workload, ours, theirs, case.control.name)
        return found

    def _output_error(self, case: Case) -> list[Measurement]:
        trained, served = self._trained(case), self._serve(case.workload, case.composition)
        slots, precision = case.composition.slots, case.composition.precision
        same = slots <= SAME_ANSWERS and not ("runtime" in slots and precision != "fp32")
        may_differ = bool(case.workload.scores) and not same
        return quality.output_error(case.cell, trained, served, batch=case.batch, may_differ=may_differ)

    def _size(self, case: Case) -> list[Measurement]:
        self._check_finished(case)
        check_parameters(self._trained(case).network, self._base(case).network, case.composition.name)
        self._check_artefact(case)
        sizes = size.size(
            case.cell, self._trained(case), self._serve(case.workload, case.composition),
            follow=case.composition.sizes_follow_weights, compiled=case.compiles,
        )  # fmt: skip
        return [*sizes, *self._moved(case), *(self._counts(case) if self.plan.count else [])]

    def _moved(self, case: Case) -> list[Measurement]:
        """Bytes that a served batch moves; nothing of compiled code, whose own are not seen."""
        if case.compiles:
            return []
        served = self._serve(case.workload, case.composition)
        return counts.moved_bytes(case.cell, served, self._inputs(served, case.workload))

    def _counts(self, case: Case) -> list[Measurement]:
        """The work of one served call and of one training step, where this process trains alone."""
        follow = case.composition.sizes_follow_weights
        served = self._serve(case.workload, case.composition)
        found = counts.served_counts(
            case.cell, served, self._inputs(served, case.workload), follow=follow,
            compiled=self._compiled.get((case.workload.name, case.composition.name)),
        )  # fmt: skip
        if case.trains_differently and case.cell.ranks == 1 and self.plan.memory_cap is None:
            recipe = self._trained(case).recipe
            found += counts.training_counts(case.cell, recipe, reference=self._reference(case), follow=follow)
        return [*found, *(self._instructions(case) if self.plan.instructions else [])]

    def _instructions(self, case: Case) -> list[Measurement]:
        """Counted in a process under valgrind; what goes wrong there costs these counts alone, and is told."""
        from suite.measure.counting.instructions import explained

        trains = case.trains_differently and case.cell.ranks == 1
        try:
            return self._ask().instructions(case, self._base(case), self._trained(case), training=trains)
        except (UnavailableError, FreshProcessError) as error:
            warnings.warn(f"{case}: {explained(str(error))}", stacklevel=2)
            return []

    def _inputs(self, served: Served, workload: Workload) -> Tree:
        """One served batch of test items."""
        batch = self._batch(workload)
        return fill_up(served.recipe.data().test.first(batch).inputs, batch)

    def _check_artefact(self, case: Case) -> None:
        """Raise for an artefact that does not ship what is served, or that grew; codecs of the suite decode theirs."""
        runtime, foreign = self._trained(case).recipe.runtime, not is_ours(case.composition)
        codes = isinstance(runtime, InTorch) and runtime.encode is not None
        if case.compiles or case.composition.is_baseline or not (codes or foreign):
            return
        served, name = self._serve(case.workload, case.composition), case.composition.name
        artefact, _ = size.serialized(served)
        if foreign:
            check_artefact(artefact, served, name)
            if not isinstance(runtime, InTorch):
                check_files(served, name)
        if codes:
            plain, _ = size.serialized(self._serve(case.workload, self.registry.baseline))
            check_growth(artefact, len(plain), name)

    def _check_finished(self, case: Case) -> None:
        """Raise for a technique that says it finishes the network otherwise, and leaves the baseline's as it was."""
        if case.composition.is_baseline or "finish" not in case.composition.slots:
            return
        ours, base = (trained.network.state_dict() for trained in (self._trained(case), self._base(case)))
        if ours.keys() == base.keys() and all(same_bits(ours[name], base[name]) for name in ours):
            name = case.composition.name
            raise ImplausibleError(f"{name} says that it finishes the network, and every weight is the baseline's")

    def _speed(self, case: Case, bounds: speed.Bounds) -> list[Measurement]:
        base, technique = self._base(case), self._trained(case)
        budget, served = self.plan.budget, self.plan.serving_budget(case)
        garbage.set_aside()
        with unchanged_flags(case):
            sides = serving_arms(base, technique, is_baseline=case.composition.is_baseline)
        timed = [
            speed.inference(
                case.cell, sides, batch=case.batch, budget=served, saturating=self._saturating(case, sides),
                bounds=bounds, judged=self._judged(case),
            )
        ]  # fmt: skip
        self._check_judged_again(case)
        timed[0] = self._with_pace_doubts(case, timed[0])
        self._check_rate(case, timed[0])
        del sides
        if case.trains_differently:
            timed.append(
                speed.training(
                    case.cell, base.recipe, technique.recipe, reference=self._reference(case), budget=budget,
                    bounds=bounds, first_losses={BASE: base.first_loss, TECHNIQUE: technique.first_loss},
                )
            )  # fmt: skip
        self.samples = {name: sample for one in timed for name, sample in one.samples.items()}
        own = [_marked_same_work(case, measurement) for one in timed for measurement in self._keep(case, one)]
        return self._with_fresh_processes(case, own)

    def _judged(self, case: Case) -> dict[str, Judged]:
        """By arm, the outputs that timed turns have to agree with: those of the pass that judged the quality."""
        compositions = {BASE: self.registry.baseline, TECHNIQUE: case.composition}
        return {arm: self._first_answers(case.workload, found) for arm, found in compositions.items()}

    def _first_answers(self, workload: Workload, composition: Composition) -> Judged:
        """From the quality pass, or predicted now by the network that it would judge."""
        key = (workload.name, composition.name)
        if key not in self._answers:
            self._answers[key] = self._predicted(workload, composition)
        return self._answers[key]

    def _predicted(self, workload: Workload, composition: Composition) -> Judged:
        served = self._serve(workload, composition)
        return quality.first_answers(served, batch=self._batch(workload))

    def _check_judged_again(self, case: Case) -> None:
        """A network that was timed still answers like the one whose quality was judged."""
        for arm, judged in self._judged(case).items():
            composition = self.registry.baseline if arm == BASE else case.composition
            check_unchanged(judged, self._predicted(case.workload, composition), arm)

    def _with_pace_doubts(self, case: Case, timed: speed.Timed) -> speed.Timed:
        """Suspect where the baseline is far slower than in other cells of this run: a ratio to it says nothing."""
        doubts = {}
        for source, found in timed.samples.items():
            pace, key = float(np.median(found.seconds[BASE])), (case.workload.name, source)
            best = self._paces[key] = min(pace, self._paces.get(key, pace))
            if pace > SLOWED * best:
                doubts[source] = f"the baseline took {pace / best:.1f} times as long as in another cell of this run"
        return speed.doubted(timed, doubts)

    def _check_rate(self, case: Case, timed: speed.Timed) -> None:
        """A last net below the other checks: nothing is faster than this machine's products, measured once and kept."""
        if not self.plan.fresh:  # a quick run has no seconds to spare for them
            return
        with phase("timing"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what cannot be counted, the figures of size have said
            for one in timed.measurements:
                if one.metric == "throughput":
                    check_rate(macs(self._trained(case)), one.value, max(ceilings(self.device).gemm.values()))

    def _memory(self, case: Case, bounds: speed.Bounds) -> list[Measurement]:
        recipe = self._trained(case).recipe  # before anything is counted: a resumed run trains only now
        self._served.pop((case.workload.name, case.composition.name), None)  # what it holds is to be counted
        before = device_memory.allocated(self.device)
        served = self._serve(case.workload, case.composition)
        inputs = fill_up(served.recipe.data().test.first(case.batch).inputs, case.batch)
        found = memory.inference_memory(case.cell, served, inputs, allocated_before=before)
        if untold := memory.untold(served):
            self.remarks.append(f"{case.cell}: {untold}")
        if case.trains_differently:
            found += memory.of_the_fullest_rank(case.cell, recipe, reference=self._reference(case))
        if self.plan.memory_cap is not None or (
            self.plan.fresh and case.serves_differently and torch.device(self.device).type == "cpu"
        ):
            found.append(self._rise(case, bounds.get(RISE, ())))
        return found

    # -- parts --------------------------------------------------------------------------------------------------

    def _rise(self, case: Case, bounds: Sequence[float] = ()) -> Measurement:
        """By how much serving raises the resident set, measured once for a cell.

        The stored value, and the one that a cap decides, is a median. A gate's bound is so wide that one process is
        enough. A value beyond it may come from the one process in several that holds more.
        """
        if case.cell not in self._rises:
            several = self.plan.processes > 1 or self.plan.memory_cap is not None
            found = self._rise_in(case, LEAST_PROCESSES if several else 1)
            beyond = not several and any(found.value > bound for bound in bounds)
            self._rises[case.cell] = self._rise_in(case, LEAST_PROCESSES) if beyond else found
        return self._rises[case.cell]

    def _rise_in(self, case: Case, processes: int) -> Measurement:
        return self._ask().rss(case, self._base(case), self._trained(case), processes=processes)

    def _require_memory(self, case: Case) -> None:
        """Raise `UnavailableError` where serving needs more than the plan's cap."""
        if self.plan.memory_cap is not None:
            edge_profile.require(self._rise(case).value, self.plan.memory_cap, case.batch)

    def _under_cap(self, found: list[Measurement]) -> list[Measurement]:
        """The cap as a condition of every figure: those with and without one are never compared."""
        return (
            found if self.plan.memory_cap is None else [edge_profile.under(one, self.plan.memory_cap) for one in found]
        )

    def seeds_of(self, workload: str, *, baseline: bool) -> range:
        """The seeds that are trained of a workload's techniques, or of its baseline."""
        return self.plan.seeds_of(baseline=baseline and workload not in self.settled)

    def _seeds(self, case: Case) -> range:
        seeds = self.seeds_of(case.workload.name, baseline=case.composition.is_baseline)
        return seeds if case.changes_weights else seeds[:1]

    def _keep(self, case: Case, timed: speed.Timed) -> list[Measurement]:
        """Keep the raw samples; the measurements then name what is kept."""
        columns = {name: sample.columns() for name, sample in timed.samples.items()}
        if timed.latency is not None:
            columns[speed.LATENCY] = {"seconds_technique": timed.latency}
        kept = {name: self.keep(case.cell, name, values) for name, values in columns.items()}
        return [replace(m, samples=kept[m.samples] if m.samples else None) for m in timed.measurements]

    def _with_fresh_processes(self, case: Case, own: list[Measurement]) -> list[Measurement]:
        if not self.plan.fresh:
            return own
        if self.plan.processes > 1 and case.timed:
            own = replicated(own, self._in_processes(case, self.plan.processes - 1, speed.REPLICA, case.timed))
        if case.compiles:
            own += self._ask().compile(case, self._base(case), self._trained(case))
        return own

    def _in_processes(
        self,
        case: Case,
        processes: int,
        budget: speed.SamplingBudget,
        parts: Sequence[Part],
        bounds: speed.Bounds = NO_BOUNDS,
    ) -> list[dict[str, Measurement]]:
        task = Speed(
            budget=budget, parts=tuple(parts), bounds=dict(bounds), seed=FIRST_SEED,
            saturating=self.saturating.get(case.workload.name),
        )  # fmt: skip
        judged = self._judged(case)
        return self._ask().speed(case, self._base(case), self._trained(case), task, processes=processes, judged=judged)

    def _ask(self) -> Workers:
        """The worker processes of this run, with the device's idle memory theirs; what they were sent stays sent."""
        self._free_device()
        if self._workers is None:
            self._workers = Workers(load=self.registry.user_modules(), starting=self.starting)
        return self._workers

    def _outcomes_of(self, workload: Workload, composition: Composition, seeds: range) -> list[Outcome]:
        known = self._outcomes.setdefault((workload.name, composition.name), {})
        for seed in seeds:
            if seed not in known:
                known[seed] = self._outcome(workload, composition, seed)
                if seed:
                    self.store.park(workload, seed)
        return [known[seed] for seed in seeds]

    def _outcome(self, workload: Workload, composition: Composition, seed: int) -> Outcome:
        trained = self.store.get(workload, composition, seed)
        served = self._serve(workload, composition) if seed == 0 else _served(trained, composition)
        batch = self._batch(workload)
        warm_up(served, served.prepare_inputs(self._inputs(served, workload)))
        found = quality.outcome(trained, served, workload, batch=batch)
        if seed == 0:
            items = min(batch, len(found))
            self._answers[(workload.name, composition.name)] = Judged(outputs=found.first_batch, items=items)
        return found

    def _batch(self, workload: Workload) -> int:
        """Items of a served batch; one under a cap of memory."""
        return edge_profile.BATCH if self.plan.memory_cap is not None else workload.batch_on(self.device)

    def _serve(self, workload: Workload, composition: Composition) -> Served:
        """The served network of seed 0, kept while its case is measured."""
        key = (workload.name, composition.name)
        if key not in self._served:
            trained = self.store.get(workload, composition, 0)
            if not self.plan.count or "compiler" not in composition.needs:
                self._served[key] = _served(trained, composition)
                return self._served[key]
            self._served[key], self._compiled[key] = counts.compiled_and_served(
                lambda: _served(trained, composition),
                lambda served: served.prepare_inputs(self._inputs(served, workload)),
            )
        return self._served[key]

    def _saturating(self, case: Case, sides: Mapping[str, Arm]) -> int | None:
        """The workload's saturating batch, the same for all its cells; none on a CPU."""
        if torch.device(self.device).type == "cpu":
            return None
        name = case.workload.name
        if name not in self.saturating:
            device_memory.forget_peak(self.device)  # what trained before is no part of the search
            self.saturating[name] = saturating_batch(sides[BASE], case.batch)
        return self.saturating[name]

    def _free_device(self) -> None:
        if torch.device(self.device).type != "cpu":
            gc.collect()  # compiled networks are circles
            device_memory.empty_cache()

    def _reference(self, case: Case) -> Reference:
        return self.store.reference(case.workload, 0)

    def _base(self, case: Case) -> Trained:
        return self.store.get(case.workload, self.registry.baseline, 0)

    def _trained(self, case: Case) -> Trained:
        return self.store.get(case.workload, case.composition, 0)


def _served(trained: Trained, composition: Composition) -> Served:
    """What serves the network. Raises `BrokenPromiseError` where it has not what a member promised of its weights."""
    served = serve(trained)
    promises = composition.promises
    quantized = [promise for promise in promises if promise.quantized or "quantize" not in composition.slots]
    invariants.check((one for one in promises if one not in quantized), trained.network)
    invariants.check([*quantized, *invariants.tied(trained.network, composition.last)], served.network)
    return served


def _marked_same_work(case: Case, measured: Measurement) -> Measurement:
    """The measurement; a ratio to the baseline says whether the cell does the baseline's own work."""
    training = measured.metric == speed.STEP
    same = case.composition.is_baseline or not (training or case.serves_differently)
    return replace(measured, same_work=same and measured.control == BASE and measured.null is not None)
