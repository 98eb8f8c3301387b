"""The commands and the code of the page on advice run as they stand there and print what it shows."""
# the expected value stands on the left

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from suite.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "advise.md").read_text("utf-8")
TABLE = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"```sh\n(suite advise [^\n]*)\n```\n\n(?:[^`]*?)```text\n(.*?)```", PAGE, re.DOTALL)
CODE = re.findall(r"```python \w+\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
FIGURE = re.compile(r"[+-]?\d[\d,]*\.?\d*")


def test_every_block_is_one_that_is_run():
    """One table, two commands of advice and one of a profile, one program; the rest is what they print."""
    assert (1, 2, 1) == (len(TABLE), len(COMMANDS), len(CODE))
    assert len(COMMANDS) + 1 == PAGE.count("```sh")
    assert 1 == PAGE.count("```python")


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_the_advice_is_that_of_the_page(command, shown, tmp_path, monkeypatch, capsys):
    """Words to the letter, figures to a hundredth: another NumPy rounds another way."""
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text(TABLE[0], "utf-8")
    assert 0 == main(shlex.split(command)[1:])
    said = "\n".join(capsys.readouterr().out.splitlines()[: len(shown.splitlines())])
    assert FIGURE.sub("#", shown.strip()) == FIGURE.sub("#", said)
    assert pytest.approx(figures(shown), abs=0.01) == figures(said)


def figures(text):
    return [float(found.replace(",", "")) for found in FIGURE.findall(text)]


@pytest.mark.system
@pytest.mark.timeout(300)
def test_the_program_and_the_profile_of_the_page_run(tmp_path, forking):
    """The one prints what is shown, the other names a verdict and its files."""
    ((code, shown),) = CODE
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert shown == done.stdout
    (command,) = re.findall(r"```sh\nsuite (profile [^\n]*)\n```", PAGE)
    line = [forking, "-P", "-m", "suite", *shlex.split(command)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("digits_cnn-baseline-cpu training: ")
    assert {"trace.json", "bottleneck.json"} <= {path.name for path in (tmp_path / "profile").iterdir()}
