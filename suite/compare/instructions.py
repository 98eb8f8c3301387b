"""Instructions under two versions: each side's calls are counted by callgrind, and the functions that differ named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from suite.compare.exact import Exact
from suite.compare.process import SideError
from suite.compare.protocol import Begin, CountInstructions, Done, InstructionsCounted, SideRequest
from suite.core.machine.core import CORE, several
from suite.measure.counting import instructions

if TYPE_CHECKING:
    from suite.compare.judge import Verdict
    from suite.compare.measure import PairedSides
    from suite.compare.process import Process
    from suite.measure.counting.instructions import InstructionCount

COUNTED = {"speed": "instructions", "speed_b1": "instructions_b1", "train_step": "training_instructions"}
"""By the metric whose call is counted."""
SAME = 0.0005
"""Relative difference up to which two counts are the same: identical code in two processes differs by a tenth of it."""
DECIDED = 10.0
"""Times the spreads of both counts that a change has to be where one of them does not repeat."""
VARIABLES = {
    **instructions.CAPPED,
    **dict.fromkeys(("SUITE_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}


def compare_instructions(
    request: SideRequest, metrics: Sequence[str], *, bench: PairedSides, gates: bool = True
) -> list[Exact]:
    """One figure for each of ``metrics``; more instructions are a regression if the comparison ``gates`` them.

    ``request`` names the weights that both sides load. Both run at once. Raises `SideError` where a side does not get
    as far as its calls, and `UnavailableError` without valgrind or its header.
    """
    asked = replace(request, metrics=tuple(metrics), describe=False, trains=False)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=bench.folder)))  # no other cell's files lie there
        built = instructions.library(folder)
        outs = [folder / f"{name}.callgrind" for name in ("current", "reference")]
        cores = stack.enter_context(several(2))  # a count needs none of its own, but one core would take turns
        players = [
            stack.enter_context(
                bench.process(
                    side, asked, 2 + number, under=instructions.command(out), variables=VARIABLES | _core(cores, number)
                )
            )
            for number, (side, out) in enumerate(zip((bench.current, bench.reference), outs, strict=True))
        ]
        ours, theirs = pool.map(_counted, players, outs, [built] * 2)
        return list(_compared(metrics, ours, theirs, gates=gates))


def _core(cores: Sequence[int], number: int) -> dict[str, str]:
    """The core that a side pins itself to; none where the platform pins nothing."""
    return {CORE: str(cores[number % len(cores)]) if cores else ""}


def _counted(player: Process, out: Path, library: Path) -> InstructionsCounted:
    player.ready()
    player.ask(Begin(forked=False), Done)
    return player.ask(CountInstructions(library=str(library), out=str(out)), InstructionsCounted)


def _compared(
    metrics: Sequence[str], ours: InstructionsCounted, theirs: InstructionsCounted, *, gates: bool
) -> Iterator[Exact]:
    for metric in metrics:
        failed = ours.failed.get(metric) or theirs.failed.get(metric)
        if failed:
            said = f"not counted: {failed}"
            yield Exact(metric=COUNTED[metric], current=0, reference=0, verdict="inconclusive", changes=(said,))
        else:
            now, before = (instructions.read(side.dumps[metric]) for side in (ours, theirs))
            yield exact(COUNTED[metric], now, before, gates=gates)


def exact(metric: str, now: InstructionCount, before: InstructionCount, *, gates: bool = True) -> Exact:
    """The figure of two counts; a difference names its functions.

    Counts that do not repeat decide only what is far beyond how much they vary.
    """
    doubt = now.doubt or before.doubt
    change = now.value / before.value - 1 if before.value else float(now.value > 0)
    if abs(change) <= SAME:
        verdict: Verdict = "same"
    elif doubt and abs(change) <= DECIDED * (now.spread + before.spread):
        verdict = "inconclusive"
    else:
        verdict = "regressed" if change > 0 and gates else "differs"
    return Exact(
        metric=metric, current=now.value, reference=before.value, verdict=verdict,
        changes=_changes(verdict, change, now, before),
    )  # fmt: skip


def _changes(verdict: Verdict, change: float, now: InstructionCount, before: InstructionCount) -> tuple[str, ...]:
    if verdict == "same":
        return ()
    if verdict == "inconclusive":
        return (now.doubt or before.doubt or "",)
    return (f"{change:+.2%}", *_named(now, before))


def _named(now: InstructionCount, before: InstructionCount) -> list[str]:
    return instructions.largest_changes(now.functions, before.functions)


def sentence(error: SideError) -> str:
    """Why a side's instructions are not counted; valgrind ends a process whose instructions it does not know."""
    said = str(error)
    if "nrecognised instruction" in said or "llegal" in said or "ended with -4" in said:
        said += " (valgrind knows no AVX-512 and no AMX, and this code has them of its own)"
    return f"instructions are not counted: {said}"
