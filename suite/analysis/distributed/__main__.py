"""``nox -s distributed``: measure what ranks of this machine cost, and predict what more of them would.

The prediction is a model's: ranks on machines of their own, joined by links like the one that was measured.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from suite.analysis.distributed.alpha_beta import AlphaBeta, all_reduce_times, fitted
from suite.analysis.distributed.blocks import OneProcessCost, Scaling, scaling
from suite.analysis.distributed.rank_curves import COLUMNS, KINDS, X, Y, rank_curve, rows, said
from suite.core.errors import SuiteError
from suite.core.machine.core import allowed_cores
from suite.registry import REGISTRY
from suite.report.results.folder import dated_folder
from suite.training.distributed.traffic import ring_bytes
from suite.training.loop import built
from suite.training.recipe import Recipe

WORKLOAD = "digits_cnn"
FAMILY = "distributed"
MOST_MEASURED = 3  # numbers of ranks whose all-reduce is timed
CURVES = "ranks.csv"
GIVEN = "--kind unbounded --better higher"  # which the name of the column does not tell
PREDICTED = (8, 64, 512, 4096)


def main() -> int:
    """Print the tables; 11 if there is no second core to use."""
    torch.set_num_threads(1)
    if len(allowed_cores()) < 2:  # noqa: PLR2004
        print("two ranks need two cores, and this process may use one")
        return 11
    try:
        found = list(_measured())
        print("\n".join([*_table(found), "", *_slow_ranks(found), "", *_prediction(found[0]), ""]))
        print("\n".join(_curves(dated_folder(Path("reports"), "ranks", "cpu"))))
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 11
    return 0


def _compositions(cores: int) -> Iterator[str]:
    """The techniques of several ranks with their default parameters, and each kind that their sweeps name."""
    for declared in REGISTRY.techniques.values():
        if declared.family == FAMILY and REGISTRY.resolve(declared.name).ranks <= cores:
            kinds = [
                f"{key}={value!r}" for key, swept in declared.sweep.items() for value in swept if str(value) == value
            ]
            yield from (f"{declared.name}({kind})" for kind in kinds)
            yield from () if kinds else (declared.name,)


def _measured() -> Iterator[Scaling]:
    plain, own = REGISTRY.find_workload(WORKLOAD).plain(0), dict[int, OneProcessCost]()
    for name in _compositions(len(allowed_cores())):
        print(f"  {name}", file=sys.stderr, flush=True)
        changed = REGISTRY.resolve(name).apply(plain)
        ranks = changed.launch.ranks
        own[ranks] = own.get(ranks) or OneProcessCost.of(plain, ranks)
        yield scaling(name, plain, changed, own=own[ranks])


def _slow_ranks(found: list[Scaling]) -> Iterator[str]:
    """A line for each technique with a slow rank; one line if there is none."""
    slow = [f"{one.technique}: {one.slowest}" for one in found if one.slowest.is_slow]
    yield from slow or ["no rank is slow: own parts of all differ by less than a quarter"]


def _curves(folder: Path) -> Iterator[str]:
    """Strong and weak scaling of the first technique whose ranks alone are swept; the points are kept in ``folder``."""
    declared = next(one for one in REGISTRY.techniques.values() if one.family == FAMILY and set(one.sweep) == {"ranks"})
    plain = REGISTRY.find_workload(WORKLOAD).plain(0)
    table: list[tuple[object, ...]] = []
    for kind in KINDS:
        print(f"  {declared.name}, {kind} scaling", file=sys.stderr, flush=True)
        points = rank_curve(kind, plain, _in_ranks(declared.name), range(1, len(allowed_cores()) + 1))
        table += rows(declared.name, points)
        yield from (
            f"{kind} scaling, {one.ranks} ranks, batch {one.items}: {one.rate:.0f} samples/s, efficiency "
            f"{one.efficiency:.2f}"
            for one in points
        )
        yield said(points)
    with (folder / CURVES).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *table])
    yield f"points: suite curves fit {folder / CURVES} --x {X} --y {Y} {GIVEN} --where scaling=weak"


def _in_ranks(technique: str) -> Callable[[Recipe, int], Recipe]:
    return lambda recipe, ranks: REGISTRY.resolve(f"{technique}(ranks={ranks})").apply(recipe)


def _payload() -> int:
    """Bytes of the gradients."""
    network = built(REGISTRY.find_workload(WORKLOAD).plain(0), 0)
    return sum(weight.numel() * weight.element_size() for weight in network.parameters())


def _table(found: list[Scaling]) -> Iterator[str]:
    payload = _payload()
    yield f"{WORKLOAD}, training step; blocks of processes in the order ABBA; one process against several ranks"
    yield ""
    heads = ("technique", "ranks", "samples/s", "one process", "efficiency", "blocks differ by", "beyond own part")
    yield f"| {' | '.join((*heads, 'sent/step', 'of ring'))} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in found:
        bound = ring_bytes(payload, one.ranks)
        sent = "unknown | unknown" if one.sent is None else f"{one.sent / 1e3:.0f} kB | {one.sent / bound:.2f}"
        yield (
            f"| {one.technique} | {one.ranks} | {one.many:.0f} | {one.one:.0f} | {one.efficiency:.2f} | "
            f"{one.spread:.0%} | {one.communication:.0%} | {sent} |"
        )
    yield ""
    yield "| technique | peak memory of a training step, fullest rank | one process | imbalance |"
    yield "|---|---|---|---|"
    for one in found:
        yield (
            f"| {one.technique} | {one.held / 1e6:.2f} MB | {one.held_alone / 1e6:.2f} MB | {one.imbalance:.1%} |"
        )  # fmt: skip


def _prediction(one: Scaling) -> Iterator[str]:
    measured = range(2, len(allowed_cores()) + 1)[:MOST_MEASURED]
    model = fitted([time for ranks in measured for time in all_reduce_times(ranks)])
    yield (
        f"all-reduce: {model.alpha * 1e6:.0f} us a message, {_bandwidth(model)}; largest error on measured "
        f"points {model.error:.0%}, at {', '.join(map(str, measured))} ranks"
    )
    yield "prediction, not measured (data parallelism, a rank's part stays, nothing overlaps, links like this one):"
    yield from (_predicted(model, one.share, ranks) for ranks in PREDICTED)


def _bandwidth(model: AlphaBeta) -> str:
    """The fit may find that bytes take no time."""
    return f"{1e-9 / model.beta:.2f} GB/s" if model.beta else "no time a byte that could be told from the messages'"


def _predicted(model: AlphaBeta, share: float, ranks: int) -> str:
    reduce = model.seconds(ranks, _payload())
    return f"  {ranks:5d} ranks: all-reduce {reduce * 1e3:8.1f} ms, efficiency {share / (share + reduce):.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
