"""The commands of the page on searching ask what can be asked, and its example runs."""
# the expected value stands on the left

import re
import shlex
from pathlib import Path

import pytest

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
@pytest.mark.timed
@pytest.mark.timeout(600)
def test_the_example_runs(tmp_path, monkeypatch, capfd):
    """Three compositions are measured, and the winner is told with its intervals."""
    from suite.cli.main import main

    monkeypatch.chdir(tmp_path)
    Path("irises.py").write_text(PROGRAM, "utf-8")
    (command,) = (line for line in COMMANDS if "--load" in line)
    assert 0 == main(shlex.split(command)[1:])
    said = capfd.readouterr().out
    assert "3 compositions measured" in said
    # where other processes had the core a speed may have no interval, and is marked
    found = r"^found: \S+, speedup [\d.]+x.*, accuracy difference .* points over 5 seeds"
    assert re.search(found, said, re.MULTILINE)
