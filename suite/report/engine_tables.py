"""The table of a run's engines: what each one gains, what its precision gains, as rows, CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from suite.core.composition import join, parse
from suite.core.errors import CompositionError
from suite.core.work_shares import main_precision, shares_text
from suite.report.csv_text import to_csv
from suite.report.engine_gains import EAGER, EngineGain, EngineSpeed, Gain, columns, engine_gains
from suite.report.frames import PLAIN, suspicion, typed
from suite.report.pipe_table import pipe_table

if TYPE_CHECKING:
    import pandas as pd

    from suite.core.records import Measurement, RunHeader

TORCH, UNKNOWN = "torch", "unknown"
PLACES = ("workload", "device", "metric")
SPEEDS = ("speedup", "speedup_b1", "speedup_saturated")
SHARE = "labelled_share"
COMPILATION = "compilation"  # the kind of techniques by which torch computes as before, in other code
TITLES = ("workload", "technique", "computes in", "batch", "speed-up", "engine", "precision", "against eager alike")
LEGEND = (
    "*Engine* is the gain of the same engine in float32 against eager float32, *precision* that of the engine against "
    "itself in float32; their product is the speed-up (times that of the other techniques of a composition). *Against "
    "eager alike* is the engine against the fastest eager cell of the same precision. The cells were timed one after "
    "the other, each in turns with the baseline: intervals take their errors as independent ones. `?` was disturbed."
)


def gains_of(header: RunHeader, measurements: Sequence[Measurement]) -> list[EngineGain]:
    """The gains of a run's cells that another engine than eager torch runs; the other functions show them."""
    if not header.runtimes and all(one.metric != SHARE for one in measurements):
        return []  # eager torch runs everything
    return engine_gains(engine_speeds(header, measurements))


def engine_speeds(header: RunHeader, measurements: Sequence[Measurement]) -> list[EngineSpeed]:
    """The speed-ups of a run's cells with what ran them."""
    shares = {one.cell: one for one in measurements if one.metric == SHARE}
    return [_speed(header, one, shares.get(one.cell)) for one in measurements if one.metric in SPEEDS and one.value > 0]


def _speed(header: RunHeader, one: Measurement, share: Measurement | None) -> EngineSpeed:
    runtime, rest = split_runtime(one.cell.technique, header.runtimes)
    macs = share.fingerprint if share else {}
    engine, told = engine_of(header, runtime, share), header.precisions.get(one.cell.technique, PLAIN)
    batch = one.conditions.get("batch")
    return EngineSpeed(
        place=(one.cell.workload, device_of(one.cell.device, one.cell.ranks), one.metric),
        technique=one.cell.technique, rest=rest, **what_ran(runtime, engine, told, macs),
        speedup=Gain(one.value, one.low, one.high), batch=batch if isinstance(batch, int) else None,
        suspect=suspicion(header, one) is not None,
    )  # fmt: skip


def what_ran(runtime: str, engine: str | None, told: str, macs: Mapping[str, int]) -> dict[str, str]:
    """``engine``, ``precision`` and ``ran`` of a speed-up; ``told`` is the precision of the name, true of torch."""
    said = told if engine == TORCH else UNKNOWN
    return {
        "engine": runtime if engine is None or engine == TORCH else engine,
        "precision": main_precision(macs) or said,
        "ran": shares_text(macs) or said,
    }


def engine_of(header: RunHeader, runtime: str, share: Measurement | None) -> str | None:
    """The engine whose kernels ran: `TORCH`, or another one that said what it ran; ``None`` if that is not known."""
    if share is not None:
        return str(share.conditions.get("engine", runtime))
    return TORCH if runtime == EAGER or header.families.get(runtime) == COMPILATION else None


def device_of(device: str, ranks: int) -> str:
    """The device, with the number of ranks if there are several."""
    return device if ranks == 1 else f"{device} x{ranks}"


def split_runtime(technique: str, runtimes: Iterable[str]) -> tuple[str, str]:
    """The member of a composition that runs the network (`EAGER` for none), and the composition without it."""
    try:
        members = parse(technique)
    except CompositionError:
        return EAGER, technique
    runs = [one for one in members if one.name in set(runtimes)]
    rest = join(one for one in members if one.name not in set(runtimes))
    return (runs[0].name if runs else EAGER), rest


def engine_table(header: RunHeader, measurements: Sequence[Measurement]) -> pd.DataFrame:
    """One row per cell and batch that another engine than eager torch runs; columns as in ``engines.csv``."""
    return as_frame(gains_of(header, measurements), PLACES)


def as_frame(gains: Sequence[EngineGain], places: Sequence[str]) -> pd.DataFrame:
    """The gains as a frame whose types do not depend on the rows."""
    table = columns(gains, places)
    texts = {*places, "technique", "engine", "precision", "ran", "equal_precision_partner"}
    numbers = frozenset(table) - texts - {"suspect"}
    return typed(table, numbers=numbers, flags=frozenset({"suspect"}))


def engines_csv(gains: Sequence[EngineGain]) -> bytes | None:
    """The table as CSV; ``None`` for a run without engines."""
    return to_csv(as_frame(gains, PLACES)) if gains else None


def engines_markdown(gains: Sequence[EngineGain]) -> str:
    """The table with its legend; empty for a run without engines."""
    if not gains:
        return ""
    alignment = ["left", "left", "left", *["right"] * 5]
    return "\n\n".join(["## Engines", LEGEND, pipe_table(TITLES, map(shown_row, gains), alignment=alignment)]) + "\n"


def shown_row(one: EngineGain) -> list[str]:
    """The texts of a gain, in the order of `TITLES`."""
    cell, doubt = one.cell, " ?" if one.suspect else ""
    alike = _shown(one.equal_precision_gain)
    return [
        cell.place[0],
        cell.technique,
        cell.ran,
        "-" if cell.batch is None else str(cell.batch),
        _shown(cell.speedup) + doubt,
        _shown(one.engine_gain),
        _shown(one.precision_gain),
        f"{alike} ({one.equal_precision_partner})" if one.equal_precision_partner else alike,
    ]


def _shown(gain: Gain | None) -> str:
    if gain is None:
        return "-"
    ends = "" if gain.low is None or gain.high is None else f" [{gain.low:.2f}, {gain.high:.2f}]"
    return f"{gain.value:.2f}x{ends}"
