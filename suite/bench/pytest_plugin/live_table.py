"""What the live table shows, as a renderable of rich; it knows neither a terminal nor a run.

Names come from users: they are shown as `rich.text.Text`, in which nothing is markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.console import Group as Lines
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from suite.bench.estimate import minutes
from suite.bench.time_left import Place
from suite.core.metrics import SHARES
from suite.core.records import Measurement, Verdict, VerdictKind
from suite.core.units.values import percent, plain, times
from suite.report.foreign import printable
from suite.report.frames import SEVERITY

if TYPE_CHECKING:
    from suite.training.loop import Progress as News

MOST_ROWS, OTHER_LINES = 10, 8  # rows of cells; lines of the terminal that are left to everything else
BAR = 24  # characters
FROZEN = "timed; nothing is drawn meanwhile"
STYLES = {VerdictKind.PASS: "green", VerdictKind.IMPROVED: "green", VerdictKind.INCONCLUSIVE: "yellow"}
STYLES |= dict.fromkeys((VerdictKind.REGRESSED, VerdictKind.ERROR, VerdictKind.MISSING), "red")


@dataclass(kw_only=True)
class CellRow:
    """A cell, its primary score and speed-up once they are measured, and how many verdicts it has of each kind."""

    workload: str
    technique: str
    score: str = ""
    speedup: str = ""
    kinds: Counter[VerdictKind] = field(default_factory=Counter)

    def add(self, verdicts: Sequence[Verdict], measurements: Iterable[Measurement], *, score: str | None) -> None:
        """Add the verdicts of a group and what it measured; ``score`` is the name of the workload's primary score.

        A run with ``--expect=off`` has measurements and no verdicts.
        """
        self.kinds.update(verdict.kind for verdict in verdicts)
        for found in measurements:
            if found.metric == score:
                self.score = _score(found)
            elif found.metric == "speedup":
                self.speedup = times(found.value)


@dataclass(kw_only=True)
class LiveState:
    """All that is shown. ``rows`` are by the name of the cell, in the order of the run.

    ``doing`` is the group of metrics at hand or the fresh process that runs; ``training`` is a composition, the news of
    its training, and of how many seeds it is trained.
    """

    rows: dict[str, CellRow] = field(default_factory=dict)
    at_hand: str = ""
    doing: str = ""
    training: tuple[str, News, int] | None = None
    place: Place | None = None

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> Iterator[RenderableType]:
        """Drawn by rich: nothing is made of an epoch that is not drawn."""
        yield render(self, console.size.height)


def render(state: LiveState, height: int) -> RenderableType:
    """The table, a line on what runs now, and a bar; it fits into a terminal of ``height`` lines."""
    return Lines(_table(state, max(1, min(MOST_ROWS, height - OTHER_LINES))), _now(state), _bar(state))


def _table(state: LiveState, most: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("workload", "technique"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for title in ("score", "speed-up"):
        table.add_column(title, no_wrap=True, justify="right")
    table.add_column("verdicts", no_wrap=True, overflow="ellipsis")
    for cell, row in list(state.rows.items())[-most:]:
        names = (Text(printable(name)) for name in (row.workload, row.technique))
        style = "bold" if cell == state.at_hand else ""
        table.add_row(*names, row.score, row.speedup, _counts(row.kinds), style=style)
    return table


def _counts(kinds: Counter[VerdictKind]) -> Text:
    """``1 regressed, 12 pass``, the worst kind first."""
    parts = [Text(f"{kinds[kind]} {kind}", style=STYLES.get(kind, "")) for kind in SEVERITY if kinds[kind]]
    return Text(", ").join(parts)


def _now(state: LiveState) -> Text:
    """What runs now, in one line that is cut where the terminal ends."""
    doing = f"{state.doing} ({FROZEN})" if state.doing == "speed" else state.doing
    parts = [*filter(None, [doing]), *([] if state.training is None else _training(*state.training))]
    line = f"now: {', '.join(parts)}" if parts else ""
    return Text(printable(line), no_wrap=True, overflow="ellipsis", style="dim")


def _training(composition: str, news: News, seeds: int) -> list[str]:
    """The seed, the epoch and the validation score of a training."""
    score = [] if news.score is None else [f"validation {percent(news.score)}"]
    return [
        f"training {composition}", f"seed {news.seed} ({news.seed + 1} of {seeds})",
        f"epoch {news.epoch} of {news.epochs}", *score,
    ]  # fmt: skip


def _bar(state: LiveState) -> RenderableType:
    """The cells that are done, as a bar, and about how long the others take."""
    if state.place is None:
        return Text("")
    done, cells = state.place.done, state.place.cells
    bar = ProgressBar(total=cells, completed=done, width=BAR)
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_row(f"cells {done} of {cells}", bar, f"about {minutes(state.place.seconds)} left")
    return line


def _score(found: Measurement) -> str:
    share = found.share or found.metric in SHARES
    return percent(found.value) if share else plain(found.value, found.unit)
