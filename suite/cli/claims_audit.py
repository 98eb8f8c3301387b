"""``suite claims audit``: whether networks that claims on speed rest on are as fast on inputs that never came before.

It measures in a quiet process of its own.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from suite.cli.claims_ledger import chosen_claims, ledger_of, ledger_options, say
from suite.core.errors import SuiteError, UsageError
from suite.core.exit_codes import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_NOTHING, EXIT_PASS, WORST_FIRST
from suite.core.machine import child, quiet

if TYPE_CHECKING:
    from suite.bench.trained_store import TrainedStore
    from suite.measure.integrity.fresh_inputs import FreshInputs
    from suite.measure.sampler.samples import Ratio

SECONDS = 8.0
Cells = dict[tuple[str, int | None], list[str]]
"""By cell and batch (``None``: the serving batch) the claims on its speed."""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of ``suite claims audit``."""
    option = parser.add_argument
    option("names", nargs="*", metavar="CLAIM", help="the cells of these claims only (default: of all)")
    ledger_options(parser)
    option("--device", default="cpu", help="cpu, gpu, cuda:1, xpu, mps (default cpu)")
    option("--seconds", type=float, default=SECONDS, help=f"seconds of timing for each cell (default {SECONDS:g})")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Here if this process is quiet, else the same command in one that is."""
    if not parsed.seconds > 0:
        raise UsageError(f"--seconds must be above 0, got {parsed.seconds:g}")
    cells = cells_of(parsed)  # a slip is told now
    if quiet.is_quiet(os.environ)[0]:
        return audit(cells, parsed)
    return child.again_quietly(accelerator=child.on_accelerator(parsed.device))


def cells_of(parsed: argparse.Namespace) -> Cells:
    """What is to be timed. Raises `UsageError` where there is none."""
    from suite.claims.measuring import timed

    cells = timed(chosen_claims(ledger_of(parsed), parsed.names))
    if not cells:
        raise UsageError("no claim rests on how fast a network is served; name one that does, such as K-17")
    return cells


def audit(cells: Cells, parsed: argparse.Namespace) -> int:
    """One line a cell and batch; the exit code of the worst of them."""
    from suite.bench.trained_store import TrainedStore
    from suite.core.machine.hardware import resolve_device
    from suite.registry import REGISTRY
    from suite.training.devices import select_device

    quiet.pin()
    quiet.apply_threads()
    doubt = quiet.is_quiet(os.environ)[1]  # the core may be shared
    device = resolve_device(parsed.device)
    select_device(device)
    store = TrainedStore(registry=REGISTRY, device=device)
    codes = [
        _audited(cell, batch, names, store, seconds=parsed.seconds, doubt=doubt)
        for (cell, batch), names in cells.items()
    ]
    return min(codes, key=WORST_FIRST.index)


def _audited(
    cell: str, batch: int | None, names: Sequence[str], store: TrainedStore, *, seconds: float, doubt: str
) -> int:
    """Train the cell's network for one seed, time it, say what was found."""
    from suite.measure.integrity.fresh_inputs import fresh_inputs
    from suite.registry import REGISTRY

    workload, _, technique = cell.partition("/")
    try:
        found = REGISTRY.find_workload(workload)
        size = batch or found.batch_on(store.device)
        trained = store.get(found, REGISTRY.resolve(technique), 0)
        fresh = fresh_inputs(trained, batch=size, seconds=seconds)
    except SuiteError as error:
        say(f"{cell}: not audited: {error}")
        return EXIT_NOTHING
    fresh = replace(fresh, suspect="; ".join(filter(None, (fresh.suspect, doubt))) or None)
    say(f"{cell}, batch {size}: {told(fresh)} ({', '.join(names)})")
    return code(fresh)


def told(found: FreshInputs) -> str:
    """``alike, fresh inputs take 1.002 [0.998, 1.006] times as long as inputs that come again``."""
    doubt = f"; {found.suspect}" if found.suspect else ""
    learnt = f", {_figure(found.learnt)} times as long as copies of one batch" if found.learnt else ""
    copied = f"; those that come again {_figure(found.copied)} times as long as one tensor" if found.copied else ""
    fresh = f"fresh inputs take {_figure(found.ratio)} times as long as inputs that come again"
    return f"{found.verdict}, {fresh}{learnt}{copied}{doubt}"


def _figure(ratio: Ratio) -> str:
    interval = "" if ratio.low is None or ratio.high is None else f" [{ratio.low:.4g}, {ratio.high:.4g}]"
    return f"{ratio.value:.4g}{interval}"


def code(found: FreshInputs) -> int:
    """A cache fails; what is not decided is inconclusive."""
    return {"alike": EXIT_PASS, "apart": EXIT_FAILED, "open": EXIT_INCONCLUSIVE}[found.verdict]
