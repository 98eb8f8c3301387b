"""The commands and the program of the page on plans give what stands there."""
# the expected value stands on the left

import re
import shlex
from pathlib import Path

import pytest

from suite.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plan.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)(?: \w+)?\n(.*?)```", PAGE, re.DOTALL)
CONSOLE = [block.split("\n", 1) for kind, block in BLOCKS if kind == "console"]


def test_every_block_is_one_that_is_run():
    """Three sessions, a program and a file of prices."""
    assert ["console", "console", "python", "toml", "console"] == [kind for kind, _ in BLOCKS]


@pytest.mark.parametrize(("typed", "shown"), CONSOLE)
def test_a_session_prints_what_the_page_shows(typed, shown, tmp_path, monkeypatch, capsys):
    """To the last digit: the figures are those of a reference run."""
    monkeypatch.setenv("COLUMNS", "110")
    (tmp_path / "prices.toml").write_text(dict(BLOCKS)["toml"], "utf-8")
    words = [str(ROOT / word) if word.startswith("reports/") else word for word in shlex.split(typed)[2:]]
    monkeypatch.chdir(tmp_path)
    code = main(words)
    assert shown == capsys.readouterr().out
    assert ("no cell fits" in shown) == (code == 1)


def test_the_program_holds():
    """Its assertions are the test."""
    exec(compile(dict(BLOCKS)["python"], "docs/plan.md", "exec"), {})  # noqa: S102  # our own page
