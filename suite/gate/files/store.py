"""Find the expectations that apply on a machine: the ladder machine -> family -> ``any``, in one or more folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from suite.core.errors import ExpectationFileError
from suite.gate.files.files import CLAIMS, load_file
from suite.gate.files.match import MEMORY_CAP, device_of, devices_agree, threads_agree, threads_of, usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suite.core.records import Expectation, ShapeExpectation, Where
    from suite.gate.files.parse import ExpectationFile

MOST_NAMED = 5  # levels in a reason


@dataclass(frozen=True, kw_only=True)
class _Levels:
    """The entries of one metric by level, in alphabetical order, and the caps of memory of all of them."""

    by_level: Mapping[str, tuple[Expectation, ...]] = field(default_factory=lambda: MappingProxyType({}))
    caps: frozenset[int | str | None] = frozenset()


_NONE = _Levels()


@dataclass(frozen=True, kw_only=True)
class _Known:
    """The entries of one workload by technique and metric, and why some of its files cannot be read."""

    entries: Mapping[tuple[str, str], _Levels]
    broken: tuple[str, ...]


class Store:
    """Folders of expectations; the first is the user's and may be missing, later ones are shipped.

    Each file is read once, so make a new store after files were written.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self.directories = tuple(Path(directory) for directory in directories)
        self._read: dict[Path, ExpectationFile | None] = {}
        self._found: dict[tuple[object, ...], tuple[Expectation, ...]] = {}
        self._everywhere: dict[str, _Known] = {}

    def find(self, workload: str, where: Where) -> tuple[Expectation, ...]:
        """One expectation for each technique and metric of the workload that has any which applies.

        The first folder with one that applies wins; within it, the most specific level. Entries of a family or
        machine recorded with another number of threads, and all under another cap of memory, do not apply.
        """
        levels = dict.fromkeys(where.levels)
        paths = [directory / level / f"{workload}.toml" for directory in self.directories for level in levels]
        files = tuple(path for path in paths if self._file(path) is not None)
        alike = (files, where.threads, where.memory_cap, device_of(where.machine))  # as machines of a family are
        if alike not in self._found:
            self._found[alike] = self._chosen(files, where)
        return self._found[alike]

    def _chosen(self, files: Sequence[Path], where: Where) -> tuple[Expectation, ...]:
        chosen: dict[tuple[str, str], Expectation] = {}
        for path in files:
            for entry in self._load(path):
                if usable(entry, where):
                    chosen.setdefault((entry.technique, entry.metric), entry)
        return tuple(chosen.values())

    def shapes(self, workload: str, where: Where) -> tuple[ShapeExpectation, ...]:
        """One shape for each technique and metric of the workload that has any; chosen as by `find`."""
        chosen: dict[tuple[str, str], ShapeExpectation] = {}
        for directory in self.directories:
            for level in dict.fromkeys(where.levels):
                found = self._file(directory / level / f"{workload}.toml")
                for shape in found.shapes if found else ():
                    chosen.setdefault((shape.technique, shape.metric), shape)
        return tuple(chosen.values())

    def near(self, workload: str, technique: str, metric: str, where: Where) -> str | None:
        """Why entries for this metric exist and yet do not apply here; None where there are none."""
        known = self._known(workload)
        found = known.entries.get((technique, metric), _NONE)
        if not found.by_level and not known.broken:
            return None
        here = [entry for level in dict.fromkeys(where.levels) for entry in found.by_level.get(level, ())]
        threads = sorted({str(threads_of(entry)) for entry in here if not threads_agree(entry, where)})
        caps = sorted(str(cap or "no") for cap in found.caps if cap != where.memory_cap)
        kinds = sorted({device_of(m) for e in here if not devices_agree(e, where) for m in e.seen})
        others = [level for level in found.by_level if level not in where.levels]
        reasons = []
        if kinds:
            reasons.append(f"recorded on {_join(kinds)}, and {metric} depends on the kernels of {where.device}")
        if caps:
            reasons.append(f"recorded under {_join(caps)} {MEMORY_CAP}, this run has {where.memory_cap or 'no'}")
        if threads:
            reasons.append(f"recorded here with {_join(threads)} threads, this run uses {where.threads}")
        if others:
            reasons.append(f"recorded on {_join(others)}, this is {where.machine}")
        return "; ".join((*reasons, *known.broken)) or None

    def _known(self, workload: str) -> _Known:
        """All entries of the workload at any level; a file that another machine cannot use stops nobody here."""
        if workload not in self._everywhere:
            self._everywhere[workload] = self._listed(workload)
        return self._everywhere[workload]

    def _listed(self, workload: str) -> _Known:
        broken: list[str] = []
        levels: dict[tuple[str, str], dict[str, list[Expectation]]] = {}
        for path in self._paths(workload):
            try:
                for entry in self._load(path):
                    of_metric = levels.setdefault((entry.technique, entry.metric), {})
                    of_metric.setdefault(entry.level, []).append(entry)
            except ExpectationFileError as error:
                broken.append(f"cannot read {error}")
        return _Known(entries={key: _of(found) for key, found in levels.items()}, broken=tuple(broken))

    def _paths(self, workload: str) -> Iterator[Path]:
        for directory in self.directories:
            yield from (path for path in sorted(directory.glob(f"*/{workload}.toml")) if path.parent.name != CLAIMS)

    def _load(self, path: Path) -> tuple[Expectation, ...]:
        found = self._file(path)
        return found.entries if found else ()

    def _file(self, path: Path) -> ExpectationFile | None:
        if path not in self._read:
            self._read[path] = load_file(path) if path.is_file() else None
        return self._read[path]


def _of(levels: Mapping[str, Sequence[Expectation]]) -> _Levels:
    caps = {e.conditions.get(MEMORY_CAP) for entries in levels.values() for e in entries}
    return _Levels(by_level={level: tuple(levels[level]) for level in sorted(levels)}, caps=frozenset(caps))


def _join(items: Sequence[object]) -> str:
    """A fleet has more levels than anybody reads."""
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return ", ".join(str(item) for item in items[:MOST_NAMED]) + more
