"""The frozen records that travel between the stages of a run; no logic, and no heavy import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

Better = Literal["higher", "lower"]
Tier = Literal["exact", "portable", "family", "local"]
Group = Literal["quality", "size", "speed", "memory"]

TIERS: tuple[Tier, ...] = ("exact", "portable", "family", "local")
GROUPS: tuple[Group, ...] = ("quality", "size", "speed", "memory")


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One workload under one composition of techniques on one device, or on ``ranks`` of them at once.

    ``technique`` is a canonical name as `suite.registry.Registry.canonical` spells it.
    """

    workload: str
    technique: str
    device: str
    ranks: int = 1

    def __str__(self) -> str:
        together = f"-x{self.ranks}" if self.ranks > 1 else ""
        return f"{self.workload}-{self.technique}-{self.device}{together}"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a measured quantity is called and how it is judged.

    ``noise`` says how the stored noise is to be read: ``relative`` to the value or ``absolute`` in its unit.
    ``judged`` by its ``point`` value, or by its whole ``interval`` (timings: inside noise is inconclusive).
    """

    name: str
    unit: str
    better: Better
    tier: Tier
    group: Group
    noise: Literal["relative", "absolute"] = "relative"
    judged: Literal["point", "interval"] = "point"
    needs_fresh_process: bool = False
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One metric of one cell, measured in one run.

    ``low``/``high`` are the interval at ``confidence``; ``None`` if the value is a count. ``noise`` is ``s``: the
    standard deviation over fresh processes (or over seeds, for quality), read as the metric's ``noise`` says.
    ``samples`` names the raw values kept in the run's folder. ``suspect`` says why a timing cannot be trusted. The
    value depends on the machine and the ``conditions`` (``batch``, ``threads``, precision flags); an expectation under
    other conditions is no match. ``by_seed`` are a quality's values in the order of ``seeds``. ``margin`` is the least
    difference that matters, in the unit; proposed bounds are never tighter. ``reused`` says that an earlier run trained
    the network, or the control. ``null`` is the ratio of the baseline to its own copy in the same sample. ``share``
    says that the value is the share of ``n`` items that were right, each of them either right or wrong. ``same_work``
    says that both arms of a ratio of times do the same work: networks of one architecture, so that the ratio is 1 if
    the arms are timed alike. ``note`` describes the measurement for a reader, such as an accelerator's clock; nothing
    is judged by it. ``fingerprint`` is the multiset of what a count counts (`suite.core.fingerprints`), and ``lines``
    has the present line of code of each of its keys that has one.
    """

    cell: Cell
    metric: str
    value: float
    unit: str
    better: Better
    tier: Tier
    group: Group
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    n: int = 1
    seeds: tuple[int, ...] = ()
    processes: int = 1
    noise: float | None = None
    control: str | None = None
    samples: str | None = None
    suspect: str | None = None
    conditions: Mapping[str, int | str] = field(default_factory=dict)
    by_seed: tuple[float, ...] = ()
    margin: float | None = None
    reused: bool = False
    null: float | None = None
    share: bool = False
    same_work: bool = False
    note: str | None = None
    fingerprint: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CellFailure:
    """A cell (or one group of its metrics) that brought no measurement, and why.

    ``slow`` is given where it was left out as slow: about how many times as long as its ``control`` it would train.
    """

    cell: Cell
    group: Group
    kind: Literal["unavailable", "error"]
    reason: str
    slow: float | None = None
    control: str = ""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """Wall seconds that a group of a cell took, including the training if the group came first.

    ``reuse`` says that trainings of earlier runs were to be taken, if there were any.
    """

    cell: Cell
    group: Group
    seconds: float
    reuse: bool = False


@dataclass(frozen=True, kw_only=True)
class GroupEnd:
    """A group of a cell is complete: all that it measured is in the lines before, ``metrics`` of them."""

    cell: Cell
    group: Group
    metrics: int


@dataclass(frozen=True, kw_only=True)
class RunEnd:
    """The last record of a run that came to its end.

    ``groups`` were to be measured, ``done`` of them were; ``whole`` unless the run was interrupted. ``code`` is the
    exit code that the verdicts give, ``None`` where none is decided (a search, a run that still writes its tables).
    ``digest`` is of all lines before: 32 hexadecimal digits of their SHA-256, empty in results of earlier versions.
    """

    groups: int
    done: int
    whole: bool
    code: int | None = None
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The origin of values. ``data_digest`` is the digest of one workload's data."""

    commit: str | None = None
    date: date | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str | None = None
    threads: int | None = None
    data_digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class XFail:
    """An entry that is known to fail until a date (inclusive)."""

    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A stored bound; ``low``/``high`` are absolute, inclusive, in the metric's unit.

    ``level`` is ``any``, a family or a machine key: the folder that the file lies in. ``only`` names device types
    (``cpu``, ``cuda``, ...) that must bring a measurement; on others its absence is not a failure. ``conditions`` are
    those of the measurement; under others it is no match. ``by_seed`` holds a quality's value for each seed, ``seen``
    the value on each machine that recorded it, or for a machine's own ratios of times in each run. ``retired`` says why
    nothing has to answer the entry any more. ``fingerprint`` is that of the measurement.
    """

    workload: str
    technique: str
    metric: str
    level: str
    value: float
    unit: str
    better: Better
    tier: Tier
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    processes: int | None = None
    noise: float | None = None
    conditions: Mapping[str, int | str] = field(default_factory=dict)
    by_seed: Mapping[int, float] = field(default_factory=dict)
    seen: Mapping[str, float] = field(default_factory=dict)
    fingerprint: Mapping[str, int] = field(default_factory=dict)
    xfail: XFail | None = None
    only: tuple[str, ...] = ()
    retired: str | None = None
    origin: Origin = Origin()
    path: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class ShapeExpectation:
    """How a metric runs along a technique's parameter: ``shape`` is a name of `suite.gate.files.shapes.SHAPES`.

    ``technique`` is a composition that may leave parameters out: it speaks for every value of them. ``along`` is the
    swept parameter. ``slack`` is what a curve may violate the shape by, in the metric's unit.
    """

    workload: str
    technique: str
    metric: str
    level: str
    along: str
    shape: str
    slack: float = 0.0
    xfail: XFail | None = None
    path: str = ""
    line: int = 0


class VerdictKind(StrEnum):
    """What the comparison of a measurement with its expectation says; `suite.gate.check` decides."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    REGRESSED = "regressed"
    IMPROVED = "improved"
    INCONCLUSIVE = "inconclusive"
    UNVERIFIED = "unverified"
    MISSING = "missing"
    UNAVAILABLE = "unavailable"
    XFAIL = "xfail"
    XPASS = "xpass"
    ERROR = "error"


class Reason(StrEnum):
    """Why a verdict is what it is, in one word for programs; `Verdict.reason` says it in a sentence."""

    WITHIN = "within"  # the whole interval lies within the bounds
    BELOW = "below"  # it lies below the lower bound
    ABOVE = "above"  # it lies above the upper bound
    STRADDLES = "straddles"  # it holds a bound
    NO_INTERVAL = "no_interval"
    NOT_A_NUMBER = "not_a_number"
    SUSPECT = "suspect"  # something disturbed the sample
    NOT_QUIET = "not_quiet"  # timed outside of a quiet process
    ABSOLUTE_TIME = "absolute_time"  # beyond a bound, but such times move with the machine
    FEW_ITEMS = "few_items"  # too few test items to see a loss
    RUN_THRESHOLD = "run_threshold"  # beyond its bound, but not by what a run of so many timings asks for
    UNCONFIRMED = "unconfirmed"  # fresh processes did not repeat the regression
    BIASED_RUN = "biased_run"  # copies of the baseline differ in this run
    NO_EXPECTATION = "no_expectation"
    OTHER_PLACE = "other_place"  # the expectation is of other hardware or another environment
    OTHER_CONDITIONS = "other_conditions"  # another batch, precision or data
    NOT_MEASURED = "not_measured"
    FAILED = "failed"  # the cell raised, or cannot run here
    SHAPE = "shape"  # of a sweep


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judgement of one metric of one cell.

    That of a sweep's ``shape`` stands at the point which says most; ``sweep`` are the compositions of its points.
    """

    kind: VerdictKind
    cell: Cell
    metric: str
    group: Group
    reason: str = ""
    measurement: Measurement | None = None
    expectation: Expectation | None = None
    stale: bool = False
    detectable: float | None = None
    """The least loss of a ratio of times that this run would have found, as a share of the stored value."""
    shape: ShapeExpectation | None = None
    sweep: tuple[str, ...] = ()
    code: Reason | None = None
    """``None`` in results of older versions."""
    threshold: float | None = None
    """What a ratio of times has to lie below to regress in this run: its bound, or less where many are judged."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """The hardware and software a run happens on, as far as expectations care.

    ``levels`` is the ladder, most specific first: machine key, family, ``any``. ``memory_cap`` are the bytes that
    serving may need in the edge profile, ``None`` outside of it.
    """

    machine: str
    family: str
    device: str
    threads: int
    versions: Mapping[str, str] = field(default_factory=dict)
    data_digests: Mapping[str, str] = field(default_factory=dict)
    memory_cap: int | None = None

    @property
    def levels(self) -> tuple[str, str, str]:
        return (self.machine, self.family, "any")


@dataclass(frozen=True, kw_only=True)
class RunHeader:
    """The first record of a results file: the origin of its values.

    Attributes:
        seeds: Those of the baseline.
        techniques_seeds: The number of seeds of each technique; 0 in older runs.
        processes: The number of processes of each timing.
        chosen: The cells that the command line selected by name.
        sources: The digest of the sources of all loaded modules.
        flags: torch's global settings.
        scores: The names of each workload's scores, the primary one first.
        precisions: The precision of each composition that does not compute in float32.
        families: The kind of each technique, by its name; empty in older runs.
        runtimes: The techniques that run the served network by another engine than eager torch.
        accelerator: The driver's description of the device (`suite.core.machine.nvml.describe`), empty on a CPU and in
            older runs.
        energy: The device's counters of energy (`suite.core.machine.energy`), or why it has none; empty in older runs.
        ceilings: The best rates of this machine (`suite.measure.ceilings`): FLOP/s of matrix products by data type, and
            ``copy`` in bytes/s; empty in older runs, and in a quick run until `suite doctor` has measured them.
        groups: The number of groups of metrics that were planned; 0 in older runs, which have no `GroupEnd` and no
            `RunEnd`.
        inputs: By workload, the digest of its recipe's values, its data and the files that users' modules read
            (`suite.bench.inputs`).
        shard: The part of a larger run that this one is (`suite.bench.shard.ShardLabel`), empty for a run of its own.
    """

    run: str
    started: str
    command: str
    commit: str | None
    where: Where
    seeds: tuple[int, ...]
    profile: Literal["quick", "default", "full"]
    quiet: bool
    load: tuple[str, ...] = ()
    processes: int = 1
    chosen: tuple[str, ...] = ()
    sources: str | None = None
    flags: Mapping[str, int | str] = field(default_factory=dict)
    scores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    precisions: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    runtimes: tuple[str, ...] = ()
    accelerator: Mapping[str, str] = field(default_factory=dict)
    energy: str = ""
    ceilings: Mapping[str, float] = field(default_factory=dict)
    groups: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)
    shard: str = ""
    techniques_seeds: int = 0
