"""One run's folder, ``reports/<run>/``: its records as they were produced, and the raw samples beside them.

``results.jsonl`` holds one JSON object per line, each with its ``type``; the first line is the run's header. A line
is synced to disk before the run goes on, so that a killed run keeps all that it measured.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload
from urllib.parse import quote

from suite.core import files
from suite.core.errors import ResultsError
from suite.core.garbage import uncollected
from suite.core.records import CellFailure, Duration, GroupEnd, Measurement, RunEnd, RunHeader, Verdict
from suite.report.results.lines import (
    MEASUREMENTS,
    BriefLine,
    BriefRecord,
    BriefVerdict,
    Other,
    Record,
    Row,
    decode,
    decode_brief,
    decode_line,
    decode_row,
    encode,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

RESULTS = "results.jsonl"
LATEST = "latest"
DIGEST = 32  # hexadecimal digits
CELL = attrgetter("cell.workload", "cell.technique", "cell.device", "cell.ranks")
METRIC_OF_CELL = attrgetter("cell.workload", "cell.technique", "cell.device", "cell.ranks", "metric")
"""What names a record's cell, and a metric of it, as keys: texts are hashed in a third of a `Cell`'s time."""
R = TypeVar("R", bound=Record)
J = TypeVar("J", Verdict, BriefVerdict)
D = TypeVar("D")


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The folder ``path`` of one run and the ``header`` of its results file."""

    path: Path
    header: RunHeader

    @classmethod
    def create(cls, reports_dir: Path, header: RunHeader) -> RunFolder:
        """Make ``<reports_dir>/<header.run>/`` and write the header as first line of its results file.

        Where that folder exists, ``-2``, ``-3``, ... is appended; the header of the result has the name as made.
        Raises `ResultsError` where the folder cannot be written.
        """
        with _writing(reports_dir):
            path = _new_folder(reports_dir, header.run)
        folder = cls(path=path, header=replace(header, run=path.name))
        _append(folder.results, folder.header)
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run in a folder, of a ``results.jsonl``, or that ``latest`` points to.

        Raises `ResultsError` if there is no run, or if its first line is no header.
        """
        points = path.name == LATEST and (path.is_symlink() or not path.is_dir())
        folder = latest(path.parent) if points else path
        folder = folder.parent if folder.name == RESULTS else folder
        first = next(_decoded(folder / RESULTS), None)
        if not isinstance(first, RunHeader):
            raise ResultsError(
                f"{folder / RESULTS}:1: the first line is no run's header; delete {folder} and run `suite bench` again"
            )
        return cls(path=folder, header=first)

    @property
    def results(self) -> Path:
        return self.path / RESULTS

    def append(self, *records: Measurement | CellFailure | Verdict | Duration | GroupEnd | RunEnd) -> None:
        """Add one line each, all at once, and sync them. Raises `ResultsError` for NaN and an unwritable folder."""
        if records:
            _append(self.results, *records)

    def end(self, last: RunEnd) -> None:
        """Add the last record with the digest of all lines before it, so that later changes are noticed."""
        before = hashlib.sha256()
        for _, line in files.read_lines(self.results):
            before.update(line + b"\n")
        self.append(replace(last, digest=before.hexdigest()[:DIGEST]))

    def measurements(self) -> tuple[Measurement, ...]:
        """One measurement for each cell and metric, in order of first appearance; the last line wins."""
        return last_measurements(self.records())

    def failures(self) -> tuple[CellFailure, ...]:
        """One failure for each cell and group of metrics; the last line wins."""
        return last_failures(self.records())

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for each cell and metric (or group, if the metric is empty); the last line wins.

        And one for each sweep and its shape, anywhere in the file.
        """
        return last_verdicts(self._of(Verdict))

    def records(self) -> Iterator[Record]:
        """Every record as it was written, the header first."""
        return _read(self.results)

    def brief(self) -> tuple[BriefRecord, ...]:
        """Every record, verdicts without measurement and expectation: what tables need, in a third of the time."""
        with uncollected():
            return _at_once(self.results) or tuple(self.stream())

    def stream(self) -> Iterator[BriefRecord]:
        """The same one after the other: one record for each line of the file, none of which is kept."""
        return _decoded(self.results, decode_brief)

    def lines(self) -> Iterator[BriefLine]:
        """The same as `stream`, but measurements are brief, too."""
        return _decoded(self.results, decode_line)

    def rows(self) -> Iterator[Row | Other | None]:
        """One record for each line of the file, none of which is kept; see `decode_row`."""
        return _decoded(self.results, decode_row)

    def append_lines(self, lines: Iterable[bytes]) -> None:
        """Add lines of another results file as they are. Raises `ResultsError` for an unwritable folder."""
        with _writing(self.results):
            files.append_lines(self.results, lines)

    def keep_samples(self, cell: object, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> str:
        """Write the raw samples of a cell; returns the name that they are kept under."""
        kept = f"{cell}-{name}"
        self.write_samples(kept, columns)
        return kept

    def write_samples(self, record_id: str, columns: Mapping[str, npt.NDArray[Any]]) -> Path:
        """Keep raw values as ``raw/<record_id>.parquet``, one row per (series, index, value).

        ``columns`` are one-dimensional and may differ in length; values are kept as 64-bit floats. Characters that
        a file name cannot hold are percent-encoded. Raises `ResultsError` for other shapes and unwritable folders.
        """
        path = self.samples_path(record_id)
        content: bytes = _long(record_id, columns).to_parquet(index=False)
        with _writing(path.parent):
            path.parent.mkdir(exist_ok=True)
        replace_file(path, content)
        return path

    def read_samples(self, record_id: str) -> pd.DataFrame:
        """The raw values of a record: columns ``series``, ``index`` and ``value``."""
        import pandas as pd  # heavy

        path = self.samples_path(record_id)
        if not path.is_file():
            raise ResultsError(f"no raw samples {record_id!r}: there is no {path}; run `suite bench` again to get them")
        return pd.read_parquet(path)

    def samples_path(self, record_id: str) -> Path:
        """The file of a record's raw samples, whether it exists or not."""
        name = quote(record_id, safe="()=,+' ")
        if len(name) > files.LONGEST_NAME:
            name = f"{name[: files.LONGEST_NAME - 13]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        return self.path / "raw" / f"{name}.parquet"

    def _of(self, kind: type[R]) -> Iterator[R]:
        return (record for record in _read(self.results) if isinstance(record, kind))


def last_measurements(records: Iterable[object]) -> tuple[Measurement, ...]:
    """One measurement for each cell and metric of some records, in order of first appearance; the last one wins."""
    found = (cast("Measurement", record) for record in records if isinstance(record, MEASUREMENTS))
    return tuple({METRIC_OF_CELL(one): one for one in found}.values())


def last_failures(records: Iterable[object]) -> tuple[CellFailure, ...]:
    """One failure for each cell and group of metrics; the last one wins."""
    failed: dict[Hashable, CellFailure] = {}
    for found in records:
        if isinstance(found, CellFailure):
            failed[found.cell, found.group] = found
        elif isinstance(found, Measurement):
            failed.pop((found.cell, found.group), None)  # a resumed run measured it after all
    return tuple(failed.values())


def last_verdicts(verdicts: Iterable[J]) -> tuple[J, ...]:
    """One verdict for each cell and metric (or group, if the metric is empty), and for each sweep and its shape."""
    judged: dict[Hashable, J] = {}
    some_group = False
    for found in verdicts:
        if not found.metric:
            some_group = True
        elif some_group:
            judged.pop((CELL(found), "", found.group), None)  # a resumed run measured the group after all
        place = CELL(found) if found.shape is None else (found.cell.device, found.shape, found.sweep)
        judged[place, found.metric, found.group] = found
    return tuple(judged.values())


def dated_folder(reports: Path, kind: str, device: str) -> Path:
    """A new folder for what is no bench run: ``reports/<kind>-<time>-<device>``."""
    folder = reports / f"{kind}-{run_name(datetime.now(UTC), device)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_name(now: datetime, device: str) -> str:
    """Name of a run, like ``2026-11-23T15-04-05-cpu``; `RunFolder.create` makes it unique."""
    return f"{now:%Y-%m-%dT%H-%M-%S}-{re.sub(r'[^A-Za-z0-9._-]', '-', device)}"


def point_latest(reports_dir: Path, run: str) -> None:
    """Let ``<reports_dir>/latest`` point to ``run``: a relative link, or a text file where links are not possible."""
    pointer = reports_dir / LATEST
    temporary = files.beside(pointer)
    try:
        temporary.symlink_to(run, target_is_directory=True)
    except OSError:  # Windows without the privilege, FAT
        replace_file(pointer, f"{run}\n".encode())
        return
    with _writing(pointer):
        try:
            temporary.replace(pointer)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def latest(reports_dir: Path) -> Path:
    """Folder of the run that ``<reports_dir>/latest`` points to; `ResultsError` if there is none."""
    pointer = reports_dir / LATEST
    if pointer.is_symlink():
        run = pointer.readlink()
    elif pointer.is_file():
        run = Path(pointer.read_text(encoding="utf-8").strip())
    else:
        raise ResultsError(f"no run in {reports_dir}: there is no {pointer}; run `suite bench` first")
    if not (reports_dir / run / RESULTS).is_file():
        raise ResultsError(f"{pointer} points to {str(run)!r}, which holds no {RESULTS}; run `suite bench` first")
    return reports_dir / run


def replace_file(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` as a whole or not at all. Raises `ResultsError` where it cannot be written."""
    with _writing(path):
        files.replace_file(path, content)


# -- files ------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Iterator[Record]:
    """The records of a file; those of the file that was read last are kept, since each table asks for them again."""
    try:
        stat = path.stat()
    except OSError:
        yield from _decoded(path)
        return
    state = (path.absolute(), stat.st_size, stat.st_mtime_ns)
    if _last_read.get("state") != state:
        with uncollected():
            _last_read.update(state=state, records=tuple(_decoded(path)))
    yield from _last_read["records"]


_last_read: dict[str, Any] = {}


@overload
def _decoded(path: Path) -> Iterator[Record]: ...
@overload
def _decoded(path: Path, of: Callable[[bytes], D]) -> Iterator[D]: ...
def _decoded(path: Path, of: Callable[[bytes], Any] = decode) -> Iterator[Any]:
    before = hashlib.sha256()
    for number, line in _lines(path):
        try:
            record = of(line)
        except (ValueError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"{path}:{number}: not a record of this version: {error}; delete the line or run `suite bench` again"
            ) from error
        if isinstance(record, RunHeader) and number > 1:
            raise ResultsError(
                f"{path}:{number}: a second run's header ({record.run}): the files of two runs were joined; keep each "
                "in a folder of its own"
            )
        if isinstance(record, RunEnd) and record.digest not in ("", before.hexdigest()[:DIGEST]):
            raise ResultsError(f"{path} was changed after the run had ended (line {number}); run `suite bench` again")
        before.update(line + b"\n")
        yield record


def _at_once(path: Path) -> tuple[BriefRecord, ...]:
    """What `_decoded` gives of a whole file that nobody has changed; nothing of others, which it explains."""
    before, line = hashlib.sha256(), b""
    records: list[BriefRecord] = []
    try:
        with path.open("rb") as file:
            for line in file:
                records.append(decode_brief(line))
                if not isinstance(records[-1], RunEnd):
                    before.update(line)
    except (OSError, ValueError, TypeError, AttributeError):
        return ()
    headers, ends = (sum(isinstance(record, kind) for record in records) for kind in (RunHeader, RunEnd))
    last = records[-1] if records else None
    digest = before.hexdigest()[:DIGEST]
    ended = ends == 0 or (ends == 1 and isinstance(last, RunEnd) and last.digest in ("", digest))
    is_whole = headers == 1 and isinstance(records[0], RunHeader) and line.endswith(b"\n")
    return tuple(records) if ended and is_whole else ()


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        yield from files.read_lines(path)
    except OSError as error:
        raise ResultsError(
            f"cannot read {path}: {error.strerror}; give the folder of a run, or run `suite bench` first"
        ) from error


def _append(path: Path, *records: Record) -> None:
    with _writing(path):
        files.append_lines(path, [encode(record).encode() for record in records])


def _long(record_id: str, columns: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    import numpy as np  # heavy
    import pandas as pd  # heavy

    values = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    for name, value in values.items():
        if value.ndim != 1:
            raise ResultsError(f"samples {record_id!r}: {name!r} has shape {value.shape}; give one dimension")
    return pd.DataFrame({
        "series": pd.Series([name for name, value in values.items() for _ in value], dtype="string"),
        "index": np.concatenate([np.empty(0, np.int64), *(np.arange(len(value)) for value in values.values())]),
        "value": np.concatenate([np.empty(0), *values.values()]),
    })  # fmt: skip


def _new_folder(reports_dir: Path, run: str) -> Path:
    if Path(run).name != run or run in {"", "..", LATEST}:
        raise ResultsError(f"{run!r} cannot name a run: it has to be the name of a folder other than {LATEST!r}")
    reports_dir.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        path = reports_dir / (run if number == 1 else f"{run}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError  # pragma: no cover  # count() does not end


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsError(
            f"cannot write {path}: {error.strerror or error}; choose a writable folder with --reports-dir"
        ) from error
