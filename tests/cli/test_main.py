"""The command line is what the files of its folder declare."""
# the expected value stands on the left

import sys

import pytest

from suite import cli
from suite.cli.main import build_parser, commands, main

OWN = """
from suite.cli.command import Command


def add(parser):
    parser.add_argument("name")
    parser.set_defaults(run=lambda parsed, _: print(f"hello {parsed.name}") or 3)


COMMANDS = (Command(name="greet", help="say hello", add=add),)
"""


@pytest.fixture
def greet(tmp_path, monkeypatch):
    """A command in a file of its own, in another folder of the same package."""
    (tmp_path / "greet.py").write_text(OWN, "utf-8")
    monkeypatch.setattr(cli, "__path__", [*cli.__path__, str(tmp_path)])
    yield
    sys.modules.pop("suite.cli.greet", None)


@pytest.mark.usefixtures("greet")
def test_a_new_command_is_one_file(capsys):
    """Nothing else names it; it comes after those that have a place in the help."""
    assert "greet" == commands()[-1].name
    assert 3 == main(["greet", "you"])
    assert "hello you\n" == capsys.readouterr().out


def test_names_and_places_of_commands_are_their_own():
    """Two of a name would hide one another."""
    found = commands()
    assert len(found) == len({command.name for command in found}) == len({command.rank for command in found})


@pytest.mark.parametrize("command", [command.name for command in commands()])
def test_each_command_explains_itself(command, capsys):
    """`--help` ends with 0 and names the command."""
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert 0 == ended.value.code
    assert f"usage: suite {command}" in capsys.readouterr().out


def test_what_no_command_reads_is_refused_with_the_nearest_option(capsys):
    """Of the command that was named."""
    assert 11 == main(["report", "--report-dir", "x"])
    assert "did you mean --reports-dir?" in capsys.readouterr().err
