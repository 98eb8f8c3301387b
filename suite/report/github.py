"""What GitHub Actions shows of a run: a step summary in Markdown, and annotations on the lines of broken bounds.

Commands and their escapes: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from suite.core.metrics import METRICS
from suite.core.records import Expectation, Measurement, RunHeader, Verdict
from suite.core.units.values import number, unit_of
from suite.report.foreign import code, fence, inline, printable
from suite.report.frames import SEVERITY
from suite.report.pipe_table import escaped
from suite.report.summary import ATTENTION, bound, counts, finding, name_of

MOST_ROWS = 200  # a summary may have 1 MiB; a row has well below 2 kB
HEAD = (
    "| verdict | cell | metric | measured | against | by | how sure |\n"
    "|:--------|:-----|:-------|---------:|:--------|---:|:---------|"
)

Fails = Callable[[Verdict], bool]


def here(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a step of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def step_summary(environment: Mapping[str, str]) -> Path | None:
    """The file that a step shows as its summary; ``None`` elsewhere."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    return Path(path) if path and here(environment) else None


def append(text: str, path: Path) -> str:
    """Add to a summary; returns why that could not be done, or nothing: no summary is worth an exit code."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    return ""


def summary(
    header: RunHeader,
    verdicts: Iterable[Verdict],
    *,
    fails: Fails,
    rerun: Callable[[Verdict], str],
    problem: str | None = None,
) -> str:
    """The run in Markdown: its outcome, what failed, what could not be decided, and the commands that run it again.

    ``fails`` says whether a verdict fails the run, ``rerun`` gives its command, quoted for the shell; ``problem`` is
    what makes the run unusable as a whole.
    """
    from suite.core.stats import null_arm  # loads numpy

    noted = _noted(verdicts := list(verdicts), fails)
    failed = [one for one in noted if fails(one)]
    other = [one for one in noted if not fails(one)]
    judged = "nothing failed" if verdicts else "nothing was judged"
    outcome = f"{len(failed)} failed" if failed else judged if problem is None else "not usable"
    nulls = null_arm.lines(one.measurement for one in verdicts if one.measurement is not None)
    head = [*([] if problem is None else [inline(problem)]), _heading(header), *nulls]
    parts = [f"## {outcome}: {counts(verdicts)}", *head]
    for title, found in (("Failed", failed), ("To look at, does not fail", other)):
        parts += [f"### {title}", _table(found, header)] if found else []
    parts += ["### Run again", _commands(noted, rerun)] if noted else []
    return "\n\n".join(parts) + "\n"


def commands(verdicts: Iterable[Verdict], *, fails: Fails, root: Path) -> list[str]:
    """Workflow commands, failures first: errors for what fails, warnings for what else needs attention.

    They point to the entry's line if its file is below ``root``, the checkout; others have no place. GitHub shows the
    first ten errors and ten warnings of a step; the summary has them all.
    """
    noted = sorted(_noted(verdicts, fails), key=lambda one: not fails(one))
    return [_annotation("error" if fails(one) else "warning", one, root) for one in noted]


def unusable(text: str) -> str:
    """The workflow command for what makes a run unusable as a whole."""
    return f"::error title=suite::{_data(text)}"


def _noted(verdicts: Iterable[Verdict], fails: Fails) -> list[Verdict]:
    """Those that need attention or fail, worst first, in the order of the run among equals."""
    noted = (one for one in verdicts if one.kind in ATTENTION or fails(one))
    return sorted(noted, key=lambda one: SEVERITY.index(one.kind))


# -- annotations ------------------------------------------------------------------------------------------------------


def _annotation(level: str, verdict: Verdict, root: Path) -> str:
    title = f"{verdict.kind} {verdict.metric or verdict.group}"
    places = [*_place(verdict, root), f"title={_property(title)}"]
    return f"::{level} {','.join(places)}::{_data(f'{name_of(verdict.cell)}: {finding(verdict)}')}"


def _place(verdict: Verdict, root: Path) -> list[str]:
    entry = verdict.expectation or verdict.shape
    if entry is None or not entry.path:
        return []
    path = Path(entry.path).resolve()
    if not path.is_relative_to(root.resolve()):
        return []
    return [f"file={_property(path.relative_to(root.resolve()).as_posix())}", f"line={entry.line}"]


def _data(text: str) -> str:
    return "%0A".join(printable(line).replace("%", "%25") for line in text.splitlines())


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -- the summary ------------------------------------------------------------------------------------------------------


def _heading(header: RunHeader) -> str:
    where = header.where
    torch = f", torch {where.versions['torch']}" if "torch" in where.versions else ""
    about = f"{where.machine}, {where.device}{torch}, commit {header.commit or 'unknown'}"
    return f"{code(header.run)} on {inline(about)}"


def _table(verdicts: Sequence[Verdict], header: RunHeader) -> str:
    rows = [HEAD, *(_row(verdict) for verdict in verdicts[:MOST_ROWS])]
    left = len(verdicts) - MOST_ROWS
    more = f"\n\n{left} more are in {code(header.run)}" if left > 0 else ""
    return "\n".join(rows) + more


def _row(verdict: Verdict) -> str:
    found, entry = verdict.measurement, verdict.expectation
    against = "-" if entry is None else f"{bound(found, entry)} ({entry.path}:{entry.line})"
    columns = [
        str(verdict.kind), name_of(verdict.cell), verdict.metric or verdict.group,
        "-" if found is None else f"{_figure(found.value, entry)}{unit_of(found.unit)}",
        against, _by(found, entry), _sure(verdict),
    ]  # fmt: skip
    return f"| {' | '.join(map(_cell, columns))} |"


def _cell(text: str) -> str:
    return escaped(text)


def _figure(value: float, entry: Expectation | None) -> str:
    return number(value, bounds=[] if entry is None else [entry.low, entry.high])


def _by(found: Measurement | None, entry: Expectation | None) -> str:
    """How far the value lies beyond the bound that it breaks: in its unit where noise is, else relative."""
    broken = None if found is None or entry is None else _broken(found.value, entry)
    if found is None or broken is None:
        return "-"
    known, gap = METRICS.get(found.metric), found.value - broken
    if broken == 0 or (known is not None and known.noise == "absolute"):
        return f"{_signed(gap)}{unit_of(found.unit)}"
    return f"{_signed(100 * gap / abs(broken))} %"


def _signed(size: float) -> str:
    return f"{'-' if size < 0 else '+'}{number(abs(size), digits=2)}"


def _broken(value: float, entry: Expectation) -> float | None:
    if entry.low is not None and value < entry.low:
        return entry.low
    return entry.high if entry.high is not None and value > entry.high else None


def _sure(verdict: Verdict) -> str:
    """The interval, from how much, what loss it would have found, and the reason."""
    found, entry, said = verdict.measurement, verdict.expectation, []
    if found is not None and found.low is not None and found.high is not None:
        level = "" if found.confidence is None else f"{100 * found.confidence:g} %: "
        said.append(f"{level}[{_figure(found.low, entry)}, {_figure(found.high, entry)}]")
    if found is not None and found.processes > 1:
        said.append(f"{found.processes} processes")
    if verdict.detectable is not None:
        said.append(f"finds a loss of {100 * verdict.detectable:.1f} %")
    said += [verdict.reason] if verdict.reason else []
    return "; ".join(said) or ("-" if found is None else "no interval")


def _commands(verdicts: Sequence[Verdict], rerun: Callable[[Verdict], str]) -> str:
    lines = dict.fromkeys(rerun(verdict) for verdict in verdicts[:MOST_ROWS])
    return fence(list(lines), "sh")
