"""The commands of the page on searching ask what can be asked, and its example runs."""
# the expected value stands on the left

import re
import shlex
from pathlib import Path

import pytest
from brief_timing import brief

from suite.analysis.search.options import SearchOptions
from suite.analysis.search.search import read_question
from suite.analysis.search.space import space
from suite.cli.main import build_parser
from suite.registry import REGISTRY

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def asked(command):
    return SearchOptions.of(vars(build_parser().parse_args(shlex.split(command)[1:])))


@pytest.mark.parametrize("command", [line for line in COMMANDS if "--load" not in line])
def test_a_command_asks_what_can_be_asked(command):
    """Workload, metrics, units and techniques exist."""
    options = asked(command)
    assert "digits_cnn" == read_question(REGISTRY, options, print).workload.name
    assert options.technique == () or space(REGISTRY, options.technique, most=options.most)


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_example_runs(tmp_path, suite):
    """Three compositions are measured, and the winner is told with its intervals."""
    (tmp_path / "irises.py").write_text(PROGRAM + brief(seconds=0.2), "utf-8")
    (command,) = (line for line in COMMANDS if "--load" in line)
    done = suite(*shlex.split(command)[1:], cwd=tmp_path, timeout=600)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "3 compositions measured" in done.stdout
    # where other processes had the core a speed may have no interval, and is marked
    found = r"^found: \S+, speedup [\d.]+x.*, accuracy difference .* points over 5 seeds"
    assert re.search(found, done.stdout, re.MULTILINE)
