"""A made-up fleet: runs of many machines with the values that they are expected to have, but for planted losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from samples import header, measured

from suite.core.metrics import METRICS
from suite.core.records import GROUPS, Cell, GroupEnd, RunEnd, Where
from suite.report.results.folder import RunFolder
from suite.report.results.lines import encode

FAMILIES = 8
ANYWHERE = {"accuracy": 0.99, "artefact_bytes": 900_000.0, "entropy_bytes": 830_000.0, "parameters": 225_034.0}
OF_FAMILY = {"speedup": 2.0, "speedup_b1": 1.5}
UNEXPECTED = {"throughput": 1000.0, "peak_memory_inference": 8e6}
EVERY = 7  # machines, of which one has a loss
LOSS = 0.5
SENTINEL, LOW, HIGH = 123456.75, 123455.75, 123457.75


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """``machines`` runs of ``techniques`` cells below ``folder``; expectations in ``expectations``.

    One machine of `EVERY` has lost half of the ``speedup`` of the first technique.
    """

    folder: Path
    expectations: Path
    machines: int
    techniques: Sequence[str]

    @property
    def lossy(self) -> list[int]:
        """The machines with a loss."""
        return list(range(0, self.machines, EVERY))

    @property
    def rows(self) -> int:
        """Measurements of all machines."""
        return self.machines * len(self.techniques) * len(VALUES)

    def make(self) -> list[Path]:
        """Write the expectations and the runs; returns the folders of the runs."""
        self._expect("any", ANYWHERE)
        for number in range(FAMILIES):
            self._expect(f"cpu-x86_64-made{number}", OF_FAMILY)
        lines = list(self._lines())
        return [self._run(number, lines) for number in range(self.machines)]

    def _expect(self, level: str, values: dict[str, float]) -> None:
        path = self.expectations / level / "digits_cnn.toml"
        path.parent.mkdir(parents=True)
        tables = (
            _table(technique, name, value, level) for technique in self.techniques for name, value in values.items()
        )
        path.write_text("schema = 1\n" + "\n".join(tables), "utf-8")

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        """Technique, metric and line of each measurement, with `SENTINEL`, `LOW` and `HIGH` in place of its values."""
        for technique in self.techniques:
            for name in VALUES:
                paired = name in OF_FAMILY
                ends = (LOW, HIGH) if paired else (None, None)
                one = measured(technique, name, SENTINEL, low=ends[0], high=ends[1], noise=0.01 if paired else None)
                yield technique, name, encode(replace(one, conditions={"batch": 64, "threads": 1}))

    def _run(self, number: int, lines: list[tuple[str, str, str]]) -> Path:
        where = Where(
            machine=f"cpu-x86_64-made-{number:04}-2c", family=f"cpu-x86_64-made{number % FAMILIES}", device="cpu",
            threads=1,
        )  # fmt: skip
        chosen = " ".join(f"--technique '{name}'" for name in self.techniques)
        groups = len(self.techniques) * len(GROUPS)
        folder = RunFolder.create(
            self.folder,
            header(run=f"made-{number:04}", where=where, groups=groups, profile="quick",
                   command=f"suite bench --quick --workload digits_cnn --device cpu {chosen}"),
        )  # fmt: skip
        folder.append_lines(self._filled(number, lines))
        folder.append_lines(encode(end).encode() for end in self._ends())
        folder.end(RunEnd(groups=groups, done=groups, whole=True, code=0))
        return folder.path

    def _filled(self, number: int, lines: list[tuple[str, str, str]]) -> Iterator[bytes]:
        for technique, name, line in lines:
            lost = name == "speedup" and technique == self.techniques[0] and number % EVERY == 0
            value = VALUES[name] * (LOSS if lost else 1)
            yield (
                line.replace(f"{SENTINEL}", repr(value))
                .replace(f"{LOW}", repr(0.999 * value))
                .replace(f"{HIGH}", repr(1.001 * value))
                .encode()
            )

    def _ends(self) -> Iterator[GroupEnd]:
        for technique in self.techniques:
            cell = Cell(workload="digits_cnn", technique=technique, device="cpu")
            for group in GROUPS:
                metrics = sum(METRICS[name].group == group for name in VALUES)
                yield GroupEnd(cell=cell, group=group, metrics=metrics)


VALUES = {**ANYWHERE, **OF_FAMILY, **UNEXPECTED}


def _table(technique: str, name: str, value: float, level: str) -> str:
    known = METRICS[name]
    bound = f"low = {0.9 * value}" if known.better == "higher" else f"high = {1.1 * value}"
    bounds = f"low = {value}\nhigh = {value}" if known.tier == "exact" else bound
    noise = "processes = 5\nnoise = 0.01\n" if level != "any" else ""
    return (
        f'["{technique}".{name}]\nvalue = {value}\n{bounds}\nunit = "{known.unit}"\nbetter = "{known.better}"\n'
        f'tier = "{known.tier}"\n{noise}'
    )


def made_up(count: int) -> list[str]:
    """Techniques that exist, with parameters of which nothing is expected elsewhere."""
    return [f"structured_pruning(ratio=0.{3301 + 2 * number},epochs=5)" for number in range(count)]
