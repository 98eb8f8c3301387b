"""Where the values of a page come from: command, commit, machine, versions; and links to the files with all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from suite.core.machine import nvml
from suite.core.records import RunHeader
from suite.report.page.markup import bullets, code, details, escaped
from suite.report.page.run_content import RunContent, labelled
from suite.report.results.folder import RESULTS

FILES = (RESULTS, "results.csv", "tradeoffs.csv", "tradeoffs.md")
MOST_SAMPLES = 500  # links to raw samples


def provenance_section(runs: Sequence[RunContent], folder: Path) -> str:
    """A list for each run as HTML; links are relative to the page's ``folder``."""
    return "".join(_of_run(run, label, folder) for run, label in labelled(runs))


def _of_run(run: RunContent, label: str, folder: Path) -> str:
    told = [*_facts(run.header), *([("prices", escaped(run.prices))] if run.prices else [])]
    facts = [f"<dt>{escaped(name)}</dt><dd>{value}</dd>" for name, value in told]
    files = [link(run.folder.path / name, folder) for name in FILES if (run.folder.path / name).is_file()]
    listed = f"<dl>{''.join(facts)}<dt>files</dt><dd>{', '.join(files)}</dd></dl>"
    return f"<h3>{escaped(label)}</h3>{listed}{_raw(run, folder)}"


def _facts(header: RunHeader) -> Iterator[tuple[str, str]]:
    where = header.where
    yield "run", code(header.run)
    yield "started", escaped(header.started)
    yield "command", code(header.command)
    yield "commit", code(header.commit or "unknown")
    yield "machine", escaped(f"{where.machine} ({where.family}), {where.device}, threads: {where.threads}")
    if header.accelerator:
        yield "accelerator", escaped(nvml.line(header.accelerator))
    if header.energy:
        yield "energy", escaped(header.energy)
    yield (
        "versions",
        escaped(", ".join(f"{name} {value}" for name, value in sorted(where.versions.items())) or "unknown"),
    )
    yield "seeds", escaped(", ".join(map(str, header.seeds)) or "none")
    yield "profile", escaped(header.profile)
    if not header.quiet:
        yield "warning", "not a quiet process: timings of this run cannot be trusted"


def _raw(run: RunContent, folder: Path) -> str:
    """Links to the raw samples, on demand."""
    names = list(dict.fromkeys(m.samples for m in run.measurements if m.samples))
    paths = [run.folder.samples_path(name) for name in names[:MOST_SAMPLES]]
    left = [f"{len(names) - MOST_SAMPLES} further files are in the same folder"] if len(names) > MOST_SAMPLES else []
    links = [link(path, folder) for path in paths if path.is_file()]
    return details(f"raw samples of {len(names)} timings", bullets([*links, *left]) if links else "")


def link(path: Path, folder: Path) -> str:
    """A link to a file, relative to the folder of the page; its name alone where no relative path exists."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive of Windows
        return code(path.name)
    return f'<a href="{escaped(quote(Path(relative).as_posix()))}">{escaped(path.name)}</a>'
