"""The command line is what the files of its folder declare."""
# the expected value stands on the left

import shlex
import sys

import pytest

from suite import cli
from suite.cli.command import OTHERS, SECTIONS
from suite.cli.main import build_parser, commands, main
from suite.cli.reference import every_command

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


def test_the_help_lists_each_command_once_below_its_section():
    """In the order of the sections, and of the ranks within one."""
    said = build_parser().format_help()
    expected = [command.name for section in SECTIONS for command in commands() if command.section == section]
    listed = [line.split()[0] for line in said.splitlines() if line.startswith("  ") and line[2].isalpha()]
    assert [*expected, "suite"] == listed  # the last one is the example
    assert all(f"{command.section}:" in said for command in commands())


def test_every_command_of_the_suite_has_a_section():
    """The last one is for commands of others."""
    assert [] == [command.name for command in commands() if command.section == OTHERS]


@pytest.mark.usefixtures("greet")
def test_a_command_without_a_section_stands_among_the_others():
    assert f"{OTHERS}:\n  greet" in build_parser().format_help()


@pytest.mark.parametrize(("name", "parser"), [(name, parser) for name, _, parser in every_command(build_parser())])
def test_the_help_of_a_command_ends_with_an_example_of_it_that_can_be_run(name, parser):
    """Its options are options of the command."""
    assert parser.format_help().endswith(f"\nexample:\n  {parser.example}\n")
    program, *arguments = shlex.split(parser.example.partition(" > ")[0])
    assert "suite" == program
    assert name.split() == arguments[: len(name.split())] or name in ("curves", "claims", "history")
    parsed, rest = build_parser().parse_known_args(arguments)
    assert [] == rest or parsed.passes_on


def test_what_no_command_reads_is_refused_with_the_nearest_option(capsys):
    """Of the command that was named."""
    assert 11 == main(["report", "--report-dir", "x"])
    assert "did you mean --reports-dir" in capsys.readouterr().err
