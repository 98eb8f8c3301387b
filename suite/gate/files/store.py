"""Find the expectations that apply on a machine: the ladder machine -> family -> ``any``, in one or more folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import ExpectationFileError
from suite.gate.files.files import CLAIMS, load_file
from suite.gate.files.match import MEMORY_CAP, caps_agree, device_of, devices_agree, threads_agree, threads_of, usable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from suite.core.records import Expectation, ShapeExpectation, Where
    from suite.gate.files.parse import ExpectationFile


class Store:
    """Folders of expectations; the first is the user's and may be missing, later ones are shipped.

    Each file is read once, so make a new store after files were written.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self.directories = tuple(Path(directory) for directory in directories)
        self._read: dict[Path, ExpectationFile] = {}

    def find(self, workload: str, where: Where) -> tuple[Expectation, ...]:
        """One expectation for each technique and metric of the workload that has any which applies.

        The first folder with one that applies wins; within it, the most specific level. Entries of a family or
        machine recorded with another number of threads, and all under another cap of memory, do not apply.
        """
        chosen: dict[tuple[str, str], Expectation] = {}
        for directory in self.directories:
            for level in dict.fromkeys(where.levels):
                for entry in self._load(directory / level / f"{workload}.toml"):
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
        broken: list[str] = []
        entries = [
            entry
            for entry in self._everywhere(workload, broken)
            if (entry.technique, entry.metric) == (technique, metric)
        ]
        others = sorted({entry.level for entry in entries if entry.level not in where.levels})
        threads = sorted({str(threads_of(entry)) for entry in entries if not threads_agree(entry, where)})
        caps = {str(e.conditions.get(MEMORY_CAP, "no")) for e in entries if not caps_agree(e, where.memory_cap)}
        kinds = sorted({device_of(m) for e in entries if not devices_agree(e, where) for m in e.seen})
        reasons = []
        if kinds:
            reasons.append(f"recorded on {_join(kinds)}, and {metric} depends on the kernels of {where.device}")
        if caps:
            reasons.append(
                f"recorded under {_join(sorted(caps))} {MEMORY_CAP}, this run has {where.memory_cap or 'no'}"
            )
        if threads:
            reasons.append(f"recorded here with {_join(threads)} threads, this run uses {where.threads}")
        if others:
            reasons.append(f"recorded on {_join(others)}, this is {where.machine}")
        return "; ".join(reasons + broken) or None

    def _everywhere(self, workload: str, broken: list[str]) -> Iterator[Expectation]:
        """All entries of the workload at any level; a file that another machine cannot use stops nobody here."""
        for directory in self.directories:
            for path in sorted(directory.glob(f"*/{workload}.toml")):
                if path.parent.name == CLAIMS:
                    continue
                try:
                    yield from self._load(path)
                except ExpectationFileError as error:
                    broken.append(f"cannot read {error}")

    def _load(self, path: Path) -> tuple[Expectation, ...]:
        found = self._file(path)
        return found.entries if found else ()

    def _file(self, path: Path) -> ExpectationFile | None:
        if path not in self._read and path.is_file():
            self._read[path] = load_file(path)
        return self._read.get(path)


def _join(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
