"""``suite curves``: run, report, fit, law, families, study."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli import studies
from suite.cli.command import INVESTIGATE, Command, add_commands
from suite.core.command_line import Parser
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_INTERRUPTED, EXIT_PASS

if TYPE_CHECKING:
    from suite.analysis.scaling.compare import CurvePoints


def add(parser: Parser) -> None:
    """Give the parser of ``suite curves`` its subcommands."""
    parser.description = "Learning and scaling curves: measure them, fit families of curves, forecast."
    add_commands(parser, "curves", SUBCOMMANDS)


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="learning curves in LCDB's format")
    parser.set_defaults(run=_study)


def _add_run(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--quick", action="store_true", help="digits_cnn with 5 points and one seed")
    option("--workload", action="append", default=[], help="this workload only (repeatable); yours need --load")
    option("--resource", action="append", default=[], help="train_samples, steps, parameters or flops (repeatable)")
    option("--seeds", type=int, help="trainings of each point (default: the profile's)")
    option("--device", default="cpu", help="cpu, auto, gpu, cuda:1, xpu, mps")
    option("--threads", type=int, default=1, help="threads of CPU work (default 1: values are reproducible)")
    option("--reports-dir", type=Path, default=Path("reports"))
    option("--resume", type=Path, metavar="FOLDER", help="continue an interrupted run")
    option("--load", action="append", default=[], help="module or .py file to load (repeatable)")
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Train, then report. What was trained before an interruption is kept."""
    from suite.analysis.scaling.report import write
    from suite.analysis.scaling.session import ScalingOptions, train
    from suite.registry import REGISTRY
    from suite.registry.settings import load_user_modules

    load_user_modules(REGISTRY, Path.cwd(), parsed.load)
    options = ScalingOptions(
        profile="quick" if parsed.quick else "default", workloads=tuple(parsed.workload),
        resources=tuple(parsed.resource), seeds=parsed.seeds, device=parsed.device, threads=parsed.threads,
        reports_dir=parsed.reports_dir, resume=parsed.resume, load=tuple(parsed.load),
    )  # fmt: skip
    try:
        path = write(train(REGISTRY, options, _say), _say)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    _say(f"{path}")
    return EXIT_PASS


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder of `suite curves run`")
    parser.set_defaults(run=_report)


def _report(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """The tables and pictures of what a folder holds so far."""
    from suite.analysis.scaling.folder import CurveFolder
    from suite.analysis.scaling.report import write

    _say(f"{write(CurveFolder.open(parsed.folder), _say)}")
    return EXIT_PASS


def _add_fit(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("data", type=Path, nargs="?", help="a CSV file whose first line names its columns")
    option("--x", metavar="COLUMN", help="the resource: tokens, steps, samples, ...")
    option("--y", metavar="COLUMN", help="the quality: a loss, an accuracy, ...")
    option("--from", dest="bench_run", type=Path, metavar="FOLDER", help="instead of a file: a run of `suite bench`")
    option("--technique", metavar="NAME", help="with --from: the technique that was swept")
    option("--along", metavar="PARAMETER", help="with --from: its parameter, the resource")
    option("--quality", metavar="METRIC", help="with --from: the metric (default accuracy)")
    option("--workload", metavar="NAME", help="with --from: the workload, if the run has several")
    option("--sigma", metavar="COLUMN", help="the quality's standard deviation, if it is known")
    option("--where", action="append", metavar="COL=VALUE", help="only these rows (repeatable)")
    option("--kind", choices=("accuracy", "loss", "unbounded"), help="kind of quality (default: by the column's name)")
    option("--better", choices=("higher", "lower"), help="default: by the column's name")
    option("--lr", metavar="COLUMN", help="the learning rate: points of the cooldown are left out")
    option("--annealed", action="store_true", default=None, help="each point is the end of a training of its own")
    option(
        "--family", action="extend", nargs="+", default=[], metavar="NAME", help="only these (suite curves families)"
    )
    option("--to", action="extend", nargs="+", type=float, default=[], metavar="X", help="forecast at these resources")
    option("--target", action="extend", nargs="+", type=float, default=[], metavar="Q", help="resource of a quality")
    option("--out", type=Path, metavar="FOLDER", help="write table and picture there")
    parser.set_defaults(run=_fit)


def _fit(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print what the points say; with ``--out`` keep it."""
    from suite.analysis.scaling.fit_csv import fitted, kept

    points, x, y = _points(parsed)
    found, text = fitted(points, x=x, y=y, families=parsed.family, to=parsed.to, targets=parsed.target)
    _say(text)
    for line in kept(found, text, parsed.out, x=x, y=y) if parsed.out else ():
        _say(line)
    return EXIT_PASS


def _points(parsed: argparse.Namespace) -> tuple[CurvePoints, str, str]:
    """The points to fit, and what their axes are called. Raises `UsageError` for options that do not go together."""
    from suite.analysis.scaling import data, fit_bench_run

    of_file = ("data", "x", "y", "sigma", "where", "kind", "better", "lr", "annealed")
    of_bench = ("bench_run", "technique", "along", "quality", "workload")
    given = [name for name in (*of_file, *of_bench) if getattr(parsed, name) is not None]
    if set(given) <= set(of_file) and {"data", "x", "y"} <= set(given):
        columns = data.Columns(x=parsed.x, y=parsed.y, sigma=parsed.sigma, rate=parsed.lr)
        points = data.read(
            parsed.data, columns, where=parsed.where or (), kind=parsed.kind, better=parsed.better,
            annealed=bool(parsed.annealed),
        )  # fmt: skip
        return points, parsed.x, parsed.y
    if set(given) <= set(of_bench) and {"bench_run", "technique", "along"} <= set(given):
        quality = parsed.quality or "accuracy"
        asked = {"technique": parsed.technique, "along": parsed.along, "workload": parsed.workload}
        return fit_bench_run.series(parsed.bench_run, quality=quality, **asked), parsed.along, quality
    raise UsageError(
        "give points either as FILE --x COLUMN --y COLUMN, or as --from RUN --technique NAME --along PARAMETER "
        "--quality METRIC"
    )


def _add_law(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("data", type=Path, help="a CSV file with a training run a line")
    option("--parameters", required=True, metavar="COLUMN", help="the network's parameters N")
    option("--tokens", required=True, metavar="COLUMN", help="the tokens D that it was trained on")
    option("--y", required=True, metavar="COLUMN", help="the loss that it ended at")
    option("--compute", action="extend", nargs="+", type=float, default=[], metavar="C", help="budgets in operations")
    option("--target", action="extend", nargs="+", type=float, default=[], metavar="LOSS", help="compute of a loss")
    parser.set_defaults(run=_law)


def _law(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the constants, the runs left out, the best split of each budget."""
    from suite.analysis.scaling.law import lawful

    columns = {"parameters": parsed.parameters, "tokens": parsed.tokens, "y": parsed.y}
    _say(lawful(parsed.data, **columns, compute=parsed.compute, targets=parsed.target))
    return EXIT_PASS


def _families(_parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """A line each: name, formula, source."""
    from suite.analysis.scaling.fit_csv import listed

    for line in listed():
        _say(line)
    return EXIT_PASS


def _study(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    return int(studies.imported("studies.forecasts").main(parsed.folder))


def _say(text: str) -> None:
    print(text, flush=True)


SUBCOMMANDS = (
    Command(
        name="run", help="train the points of curves and report them", add=_add_run, abbreviates=False,
        example="suite curves run --quick --resource steps",
    ),
    Command(
        name="report", help="write the tables and pictures of a run again", add=_add_report,
        example="suite curves report reports/curves",
    ),
    Command(
        name="fit", help="fit families to the points of a CSV file", add=_add_fit, abbreviates=False,
        example="suite curves fit losses.csv --x tokens --y loss --to 1e9",
    ),
    Command(
        name="law", help="loss as a law of parameters and tokens, from a CSV file of runs", add=_add_law,
        example="suite curves law runs.csv --parameters N --tokens D --y loss",
    ),
    Command(
        name="families", help="list the families of curves with their sources",
        add=lambda parser: parser.set_defaults(run=_families), example="suite curves families",
    ),
    Command(
        name="study", help="evaluate forecasts on a folder of learning curves", add=_add_study,
        example="suite curves study lcdb",
    ),
)  # fmt: skip
COMMANDS = (
    Command(
        name="curves",
        help="measure learning and scaling curves, fit and forecast them",
        add=add,
        example="suite curves run --quick",
        section=INVESTIGATE,
        rank=12,
    ),
)
