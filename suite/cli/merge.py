"""``suite merge``: the parts of a run as one run."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import MEASURE, Command, chosen_prices, load_everything
from suite.core.errors import SetupError, SuiteError
from suite.core.exit_codes import worst

if TYPE_CHECKING:
    from suite.bench.merging import MergedParts
    from suite.bench.options import Options
    from suite.bench.request import RunRequest
    from suite.bench.resolved_cell import Case
    from suite.core.prices import Prices
    from suite.core.records import RunHeader
    from suite.report.results.folder import RunFolder


def _add_merge(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Put the results folders of shards together and judge the whole, with the exit codes of suite bench. "
        "Parts of different machines, versions or code become runs of their own."
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="results folders of the parts")
    parser.add_argument("--out", type=Path, required=True, help="folder below which the merged runs are written")
    parser.add_argument("--prices", type=Path, metavar="FILE", help=PRICES_OF_PARTS)
    parser.add_argument("--no-tables", action="store_true", help="write no tables; suite report does later")
    parser.set_defaults(run=_merge)


def _merge(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    from suite.bench.merging import merged, read, write
    from suite.core.prices import read_prices
    from suite.report.results.folder import point_latest

    given = None if parsed.prices is None else read_prices(parsed.prices)  # a bad file is found before anything is made
    codes, commands = [], _Commands()
    for found in merged(read(parsed.folders)):
        for note in found.notes:
            print(f"suite: {note}", file=sys.stderr)
        request = _common_request(found, commands)
        folder = write(found, parsed.out)
        codes.append(_judged(found, folder, request, commands))
        if not parsed.no_tables:
            _write_tables(folder, _prices_of(found, given, commands))
        point_latest(parsed.out, folder.path.name)
        print(f"{folder.path}: {len(found.parts)} parts of {folder.header.where.machine}, exit code {codes[-1]}")
    return worst(codes)


def _prices_of(found: MergedParts, given: Prices | None, commands: _Commands) -> Prices | None:
    """The prices of the merged run's machine, from what is ``given``, else from the parts' own file or the setting.

    A file that cannot be used costs the columns of costs and a line: no verdict depends on prices.
    """
    where = found.header.where
    try:
        known = given or _prices_of_parts(found, commands)
        return None if known is None else known.at(where.machine, where.family)
    except SuiteError as error:
        print(f"suite: {error}; costs are left out", file=sys.stderr)
        return None


def _prices_of_parts(found: MergedParts, commands: _Commands) -> Prices | None:
    """Prices of the file that the commands of the parts name, else of the user's setting; ``None`` without both.

    Raises `SetupError` where the parts name several files, and `SuiteError` for a file that cannot be read.
    """
    paths = dict.fromkeys(commands.request(part.folder.header).prices for part in found.parts)
    named = [path for path in paths if path is not None]
    if len(named) > 1:
        raise SetupError(f"the parts name several files of prices, {', '.join(map(str, named))}; choose with --prices")
    return chosen_prices(named[0] if named else None)


def _write_tables(folder: RunFolder, prices: Prices | None) -> None:
    from suite.report.tradeoffs import write  # heavy

    write(folder, prices)


def _judged(found: MergedParts, folder: RunFolder, request: RunRequest, commands: _Commands) -> int:
    from suite.bench.merged_run import close, opened
    from suite.registry import REGISTRY

    options, cases = commands.options(found.header), commands.cases(found.header)
    run = opened(found, folder, options=options, plan=request.plan(), cases=cases)
    code, problem = close(run, REGISTRY, found)
    if problem:
        print(f"suite: {problem}", file=sys.stderr)
    return code


def _common_request(found: MergedParts, commands: _Commands) -> RunRequest:
    """What all parts were asked for. Raises `SetupError` for parts that were asked for different things."""
    requests = {part.folder.path: commands.request(part.folder.header) for part in found.parts}
    first, *others = requests.items()
    for path, request in others:
        unlike = [name for name, value in request.given.items() if value != first[1].given[name] and name not in OWN]
        if unlike:
            raise SetupError(
                f"{first[0]} and {path} were asked for different things: --{unlike[0].replace('_', '-')} "
                f"{first[1].given[unlike[0]]!r} and {request.given[unlike[0]]!r}; run the parts with the same options"
            )
    return first[1]


class _Commands:
    """What the commands of runs ask for, each understood once: the machines of a fleet were given the same one."""

    def __init__(self) -> None:
        self._requests: dict[str, RunRequest] = {}
        self._options: dict[str, Options] = {}
        self._cases: dict[tuple[str, str, tuple[str, ...]], Sequence[Case]] = {}

    def request(self, header: RunHeader) -> RunRequest:
        """As `_request`."""
        if header.command not in self._requests:
            self._requests[header.command] = _request(header)
        return self._requests[header.command]

    def options(self, header: RunHeader) -> Options:
        """How the run treats its values; the user's settings are read once."""
        if header.command not in self._options:
            self._options[header.command] = self.request(header).options(header.command)
        return self._options[header.command]

    def cases(self, header: RunHeader) -> Sequence[Case]:
        """The cells that the run plans; its modules are loaded first."""
        from suite.bench.selection import select
        from suite.registry import REGISTRY

        key = (header.command, header.where.device, header.load)
        if key not in self._cases:
            load_everything(header.load)
            self._cases[key], _ = select(REGISTRY, self.request(header).selection(REGISTRY, header.where.device))
        return self._cases[key]


def _request(header: RunHeader) -> RunRequest:
    """What the whole run was asked for: the command of a part, without its shard. Raises `SetupError` for another."""
    from suite.bench import edge_profile
    from suite.bench.option_table import values
    from suite.bench.request import RunRequest
    from suite.cli.main import build_parser

    words = shlex.split(header.command)
    if words[:2] != ["suite", "bench"]:
        raise SetupError(f"{header.run} was started by {header.command!r}: only runs of `suite bench` can be merged")
    given = dict(values(build_parser().parse_known_args(words[1:])[0]))
    memory = given["memory"] or edge_profile.DEFAULT_CAP
    given["edge"] = memory if given["edge"] else None  # as pytest is told of it
    return RunRequest(given=given | {"shard": None, "durations": None, "resume": None, "history": False})


PRICES_OF_PARTS = "a file of prices for the columns of costs (default: that of the parts, else the setting prices)"
OWN = frozenset({"prices", "reports_dir", "wait"})
"""Options that each part may have of its own."""

COMMANDS = (
    Command(
        name="merge",
        help="put the results of shards together",
        add=_add_merge,
        example="suite merge part1 part2 --out reports/merged",
        section=MEASURE,
        rank=24,
    ),
)
