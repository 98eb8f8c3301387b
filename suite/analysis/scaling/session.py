"""A run of curves from its plan to its tables: trains what is missing, writes each point at once, then reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.analysis.scaling.folder import CurveFolder
from suite.analysis.scaling.plan import PROFILES, Profile, point, runs
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from suite.registry import Registry

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ScalingOptions:
    """Options of the command line; empty tuples and ``None`` mean all, or the profile's own."""

    profile: str = "default"
    workloads: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    seeds: int | None = None
    device: str = "cpu"
    reports_dir: Path = Path("reports")
    resume: Path | None = None
    load: tuple[str, ...] = ()
    threads: int = 1

    def planned(self) -> Profile:
        """The profile's part that is asked for. Raises `UsageError` for what it does not hold."""
        if self.seeds is not None and self.seeds < 1:
            raise UsageError(f"--seeds={self.seeds}: a point needs at least one seed")
        found = PROFILES[self.profile].only(self.workloads, self.resources)
        return found if self.seeds is None else replace(found, seeds=self.seeds)


def train(registry: Registry, options: ScalingOptions, say: Say) -> CurveFolder:
    """Train every point that the folder lacks; returns the folder with all of them."""
    import torch

    from suite.analysis.scaling.train import trained
    from suite.core.machine.hardware import resolve_device

    profile, device = options.planned(), resolve_device(options.device)
    torch.set_num_threads(options.threads)
    check(registry, profile)
    folder = _folder(registry, profile, options, device)
    every, done = list(runs(profile)), {row.key for row in folder.rows()}
    say(f"{folder.path}: {len(every) - len(done)} of {len(every)} points are to be trained")
    for number, run in enumerate(every, start=1):
        if run.key in done:
            continue
        try:
            row, tested = trained(registry, run, device)
        except KeyboardInterrupt:
            say(f"interrupted; the trained points are kept: continue with --resume {folder.path}")
            raise
        folder.add(row, tested)
        said = f"{row.resource}={row.amount:g} seed {row.seed}: {row.quality:.4g} ({row.seconds:.1f} s)"
        say(f"[{number}/{len(every)}] {row.workload} {said}")
    return folder


def check(registry: Registry, profile: Profile) -> None:
    """Build the smallest point of each curve: what cannot be had is said before anything is trained."""
    from suite.analysis.scaling.train import primary

    for run in runs(replace(profile, seeds=1)):
        workload = registry.find_workload(run.workload)
        primary(workload)
        if run.share == min(s.shares[0] for s in profile.sweeps if (s.workload, s.resource) == run.key[:2]):
            point(workload.plain(0), run)


def _folder(registry: Registry, profile: Profile, options: ScalingOptions, device: str) -> CurveFolder:
    header = described(registry, profile, options, device)
    if options.resume is None:
        now = datetime.now(UTC)
        return CurveFolder.create(options.reports_dir, now.strftime("%Y%m%d-%H%M%S"), header)
    folder = CurveFolder.open(options.resume)
    folder.check(header)
    return folder


def described(registry: Registry, profile: Profile, options: ScalingOptions, device: str) -> Mapping[str, Any]:
    """What figures of one run have in common: the plan, the code, the versions, the data; by name."""
    import torch

    from suite.bench.sources import digest

    names = list(dict.fromkeys(sweep.workload for sweep in profile.sweeps))
    found = [registry.find_workload(name) for name in names]
    return {
        "plan": [[s.workload, s.resource, list(s.shares), s.budget] for s in profile.sweeps],
        "seeds": profile.seeds,
        "device": device,
        "threads": options.threads,
        "torch": torch.__version__,
        "code": digest(options.load),
        "data": {one.name: one.digest() for one in found if one.digest is not None},
        "scores": {one.name: _score(one.scores) for one in found},
    }


def _score(scores: Sequence[Any]) -> list[str]:
    """Name, unit and direction of the primary score."""
    return [scores[0].name, scores[0].unit, scores[0].better]
