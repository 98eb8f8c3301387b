"""The options of a run are declared once."""
# the expected value stands on the left

import argparse

import pytest

from suite.bench import option_table
from suite.bench.option_table import OPTIONS, PREFIX, BenchOption, add_to_command_line, forwarded, in_pytest, values
from suite.bench.pytest_plugin import plugin


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_to_command_line(parser)
    return values(parser.parse_args(arguments))


def by_pytest(arguments):
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    return values(parser.parse_known_args(arguments), PREFIX)


def test_each_name_is_declared_once_for_each_place():
    """The edge profile alone is another option for pytest: there it is the cap of memory."""
    names = [(option.name, option.place) for option in OPTIONS]
    assert len(set(names)) == len(names)
    assert {"edge"} == {name for name, _ in names if sum(name == other for other, _ in names) > 1}


def test_nothing_given_is_nothing_forwarded():
    """pytest has the same defaults."""
    assert [] == forwarded(parsed())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--quick", "--workload", "a", "--workload", "b"],
        ["--seeds", "3", "--max-minutes", "2.5"],
        ["--expect", "record", "--expect-dir", "-odd"],
        ["--gate-tier", "exact", "--reports-dir", "elsewhere"],
        ["--technique", "magnitude_pruning(sparsity=0.5)+pure_bf16"],
    ],
    ids=" ".join,
)
def test_what_is_given_arrives_at_the_plugin(arguments):
    """Whatever its type, and whether or not it may be repeated."""
    *rest, last = arguments
    given = parsed(*rest[:-1], f"{rest[-1]}={last}") if rest and rest[-1].startswith("--") else parsed(*arguments)
    arrived = by_pytest(forwarded(given))
    assert {key: arrived[key] for key in given if key in arrived and key != "edge"} == {
        key: value for key, value in given.items() if key in arrived and key != "edge"
    }


def test_the_edge_profile_travels_as_its_cap():
    """`suite bench` fills the cap in before."""
    assert [f"--{PREFIX}-edge=128MB"] == forwarded({**parsed(), "edge": True, "memory": "128MB"})


def test_a_new_option_is_one_entry(monkeypatch):
    """The command line, pytest and the options of the run know it; a comparable one is printed with each command."""
    new = BenchOption(name="new-thing", kind=int, help="a thing", comparable=True)
    monkeypatch.setattr(option_table, "OPTIONS", (*OPTIONS, new))
    given = by_pytest(forwarded(parsed("--new-thing", "7")))
    assert 7 == given["new_thing"]
    assert ["--new-thing", "7"] == new.arguments(given["new_thing"])
    assert "new-thing" in {option.name for option in in_pytest()}
