"""``suite data``: what data sets are there, and downloading one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from suite.catalog.datasets import cifar10, mnist
from suite.catalog.datasets.dataset import Dataset
from suite.cli.command import SET_UP, Command
from suite.core.errors import SetupError, SuiteError
from suite.core.exit_codes import EXIT_PASS
from suite.registry.settings import DATA_SETTING, DATA_VARIABLE, TABLE, data_root

DATASETS = {one.name: one for one in (mnist.DATASET, cifar10.DATASET)}


def add(parser: argparse.ArgumentParser) -> None:
    """Give the parser of ``suite data`` its arguments."""
    parser.description = "List the data sets and whether they are present; download the named one if it is missing."
    parser.add_argument("name", choices=sorted(DATASETS), nargs="?", help="the data set to download")
    parser.add_argument("--root", type=Path, help="the folder of all data (default: where runs look for them)")
    parser.set_defaults(run=_data)


def _data(parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Nothing that is there is fetched again or changed."""
    found = data_root(Path.cwd())
    root = found if parsed.root is None else parsed.root.expanduser().absolute()
    if parsed.name is None:
        for one in DATASETS.values():
            print(state(one, root))
        return EXIT_PASS
    fetch(DATASETS[parsed.name], root)
    print(state(DATASETS[parsed.name], root))
    if root != found:
        print(f"runs look in {found}: set {DATA_VARIABLE}={root}, or {DATA_SETTING} in [tool.{TABLE}]")
    return EXIT_PASS


def state(dataset: Dataset, root: Path) -> str:
    """One line: whole, or what is wrong with it."""
    try:
        dataset.require(root)
    except SuiteError as error:
        return str(error)
    return f"{dataset.name} is in {root / dataset.folder}: {len(dataset.files)} files, all with the published checksums"


def fetch(dataset: Dataset, root: Path) -> None:
    """Download what is missing below ``root``. Raises `SetupError` if that fails or an existing file is damaged."""
    dataset.check(root)
    if not dataset.absent(root):
        return
    try:
        dataset.download(root)
    except Exception as error:
        raise SetupError(
            f"{dataset.name} cannot be downloaded into {root}: {_said(error)}; check the network and that the folder "
            f"can be written, or put {', '.join(dataset.files)} into {root / dataset.folder} yourself"
        ) from error
    dataset.require(root)


def _said(error: Exception) -> str:
    """An exception in one line; torchvision tells of every mirror in lines of their own."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


COMMANDS = (
    Command(
        name="data",
        help="list the data sets, or download one",
        add=add,
        example="suite data mnist",
        section=SET_UP,
        rank=21,
    ),
)
