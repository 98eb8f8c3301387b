"""The page on continuous integration and the pre-commit hook name commands and options that exist."""
# the expected value stands on the left

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from suite.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
COMMANDS = re.findall(r"- run: >-\n\s+(suite bench[^\n]*)\n\s+([^\n]*)\n", PAGE)
FILES = r"files: (\S+)\n"


def test_the_workflow_runs_the_quick_profile_on_pull_requests_and_the_whole_on_a_schedule():
    """One command each; both gate what holds on any machine."""
    quick, whole = (shlex.split(" ".join(command)) for command in COMMANDS)
    assert {"--quick"} == set(quick) - set(whole)
    assert ["exact", "portable"] == [after for before, after in pairwise(whole) if before == "--gate-tier"]


@pytest.mark.parametrize("command", COMMANDS, ids=["quick", "whole"])
def test_every_option_of_the_workflow_is_one_of_bench_or_of_pytest(command, capsys):
    """A renamed option would end the job before anything is measured."""
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    known = capsys.readouterr().out
    for option in re.findall(r"--[\w-]+", " ".join(command)):
        assert option in known or option == "--junitxml", option


def test_a_pull_request_is_compared_with_its_base_and_what_is_open_fails(capsys):
    """The sharp gate: with the whole history at hand, or the reference would not be there."""
    (command,) = re.findall(r"- run: (suite compare [^\n]*)\n", PAGE)
    assert '"origin/${{ github.base_ref }}"' in command
    assert "--inconclusive=fail" in command
    assert "fetch-depth: 0" in PAGE
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    known = capsys.readouterr().out
    assert all(option in known for option in re.findall(r"--[\w-]+", command))


def test_the_hook_runs_lint_when_an_expectation_file_changes():
    """The page's local hook and the one of the repository watch the same files."""
    assert "entry: suite lint\n" in HOOKS
    (pattern,) = re.findall(FILES, HOOKS)
    assert [pattern] == re.findall(FILES, PAGE)
    assert re.search(pattern, "expectations/any/digits_cnn.toml")
    assert re.search(pattern, "models/expectations/any/mine.toml")
    assert not re.search(pattern, "pyproject.toml")
