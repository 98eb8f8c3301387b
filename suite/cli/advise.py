"""The command lines of `suite profile` and `suite advise`; everything heavy is imported when one of them runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.command import INVESTIGATE, Command
from suite.core.errors import UsageError
from suite.core.exit_codes import EXIT_PASS
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules

if TYPE_CHECKING:
    from suite.analysis.advise.curve import LearningCurve, Measured
    from suite.analysis.profile.bottleneck import Bottleneck
    from suite.bench.resolved_cell import Case

KIND = "kind of quality (default: by the name of the column or tag)"
WORTH = "least gain a doubling must bring: points (hundredths) of an accuracy, default 1; else in the quality's unit"


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Options of `suite profile`."""
    add = parser.add_argument
    add("cell", nargs="?", help="a cell as tables print it, like digits_cnn-baseline-cpu")
    _add_cell(parser)
    add("--tool", choices=("torch", "nsys", "py-spy"), default="torch")
    add("--out", type=Path, default=Path("profile"), help="folder for traces and tables (default: profile)")
    add("--tensorboard", type=Path, metavar="FOLDER", help="write scalars and the trace for TensorBoard too")
    parser.set_defaults(run=_profile)


def _add_cell(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--workload", help="the cell's workload")
    add("--technique", help="its composition (default: baseline)")
    add("--device", help="its device (default: the accelerator if there is one)")
    add("--what", choices=("inference", "training"), default="inference")
    add("--load", action="append", default=[], help="module or .py file to load (repeatable)")


def _profile(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print where a cell's time goes; files are named at the end."""
    from suite.analysis.profile import profiling

    case = _case(parsed, parsed.cell)
    if parsed.tool == "torch":
        found = profiling.with_torch(REGISTRY, case, parsed.what, out=parsed.out, board=parsed.tensorboard)
    elif parsed.tensorboard is not None:
        raise UsageError(f"--tensorboard goes with --tool torch, not with {parsed.tool}")
    else:
        found = profiling.with_program(case, parsed.what, parsed.tool, out=parsed.out, load=parsed.load)
    for line in found:
        print(line)
    return EXIT_PASS


def _case(parsed: argparse.Namespace, cell: str | None) -> Case:
    from suite.analysis.profile.cells import find_case

    load_user_modules(REGISTRY, Path.cwd(), parsed.load)
    return find_case(REGISTRY, cell, workload=parsed.workload, technique=parsed.technique, device=parsed.device)


def add_advise(parser: argparse.ArgumentParser) -> None:
    """Options of `suite advise`."""
    add = parser.add_argument
    add("--csv", type=Path, metavar="FILE", help="a table with a header: the learning curve")
    add("--x", default="amount", help="its column of the resource (default: amount)")
    add("--y", default="score", help="its column of the quality (default: score)")
    add("--train", metavar="COL", help="its column of the same quality on the training data")
    add("--where", action="append", default=[], metavar="COL=VALUE", help="only these rows (repeatable)")
    add("--tensorboard", type=Path, metavar="FOLDER", help="a folder of event files, instead of --csv")
    add("--tag", help="the scalar in them")
    add("--train-tag", help="the scalar of the same quality on the training data")
    add("--lr", metavar="COL", help="its column (or tag) of the learning rate: points of the cooldown are left out")
    add("--annealed", action="store_true", help="each point is the end of a training of its own")
    add("--kind", choices=("auto", "accuracy", "loss", "unbounded"), default="auto", help=KIND)
    add("--better", choices=("higher", "lower"), help="default: by the name of the column or tag")
    add("--worth", type=float, help=WORTH)
    add("--cell", help="profile this cell too: a bottleneck is a next step of its own")
    _add_cell(parser)
    add("--json", type=Path, metavar="FILE", help="write the advice as JSON too")
    parser.set_defaults(run=_advise, what="training")


def _advise(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the ranked next steps with their evidence."""
    from suite.analysis.advise import text
    from suite.analysis.advise.advice import advise

    found = _bottleneck(parsed)
    advice = advise(_curve(parsed), worth=parsed.worth, bottleneck=found)
    for line in text.lines(advice):
        print(line)
    if parsed.json is not None:
        text.write_json(advice, parsed.json)
        print(parsed.json)
    return EXIT_PASS


def _bottleneck(parsed: argparse.Namespace) -> Bottleneck | None:
    """Of the cell that was named, if one was."""
    if parsed.cell is None and parsed.workload is None:
        return None
    from suite.analysis.profile import profiling

    found, _ = profiling.bottleneck(REGISTRY, _case(parsed, parsed.cell), parsed.what)
    return found


def _curve(parsed: argparse.Namespace) -> LearningCurve:
    if (parsed.csv is None) == (parsed.tensorboard is None):
        raise UsageError("give the learning curve as --csv FILE or as --tensorboard FOLDER --tag TAG")
    measured = _table(parsed) if parsed.csv is not None else _events(parsed)
    return measured.curve(kind=parsed.kind, better=parsed.better, annealed=parsed.annealed)


def _table(parsed: argparse.Namespace) -> Measured:
    from suite.analysis.advise.curve import from_csv

    return from_csv(parsed.csv, parsed.x, parsed.y, train=parsed.train, rate=parsed.lr, where=parsed.where)


def _events(parsed: argparse.Namespace) -> Measured:
    """Points of a scalar, with those of the one on the training data and of the learning rate."""
    from suite.analysis.advise import tensorboard

    if parsed.tag is None:
        raise UsageError("--tensorboard needs --tag, the name of the scalar, as in --tag val/accuracy")
    return tensorboard.measured(parsed.tensorboard, parsed.tag, train=parsed.train_tag, rate=parsed.lr)


COMMANDS = (
    Command(
        name="profile",
        help="profile a cell: where its time goes, and its bottleneck",
        add=add_profile,
        example="suite profile digits_cnn-baseline-cpu --what training",
        section=INVESTIGATE,
        rank=10,
    ),
    Command(
        name="advise",
        help="advise the next step, from a learning curve and a profile",
        add=add_advise,
        example="suite advise --csv points.csv --x tokens --y loss",
        section=INVESTIGATE,
        rank=11,
    ),
)
