"""Completion in a shell, and what `suite` alone shows."""
# the expected value stands on the left

import shutil
import subprocess
import sys

import pytest

from suite.cli.completion import SHELLS
from suite.cli.main import FIRST, commands, main


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_knows_every_command_and_its_options(shell, capsys):
    """Made of the parser itself."""
    assert 0 == main(["completion", shell])
    script = capsys.readouterr().out
    assert [] == [command.name for command in commands() if command.name not in script]
    assert "max-minutes" in script


def test_the_script_is_one_that_bash_reads(capsys):
    """A syntax error would greet users in every new shell."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    main(["completion", "bash"])
    done = subprocess.run([bash, "-n"], input=capsys.readouterr().out, text=True, capture_output=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_without_the_extra_the_command_says_what_to_install(monkeypatch, capsys):
    """In one line."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert 11 == main(["completion", "bash"])
    assert "pip install 'tradeoff-suite[completion]'" in capsys.readouterr().err


def test_the_command_alone_shows_five_commands_that_exist(capsys):
    """And is no pass: a script may have lost its arguments."""
    assert 11 == main([])
    out = capsys.readouterr().out
    assert 5 == len(FIRST)
    assert all(line in out for line in FIRST)
    assert {line.split()[1] for line in FIRST} <= {command.name for command in commands()}
