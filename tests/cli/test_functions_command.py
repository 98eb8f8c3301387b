"""`suite time` and `suite pytest`: what is refused at once, and when the child's exit code is believed."""
# the expected value stands on the left

import argparse
import json
from pathlib import Path

import pytest

from suite.bench.options import ENDED
from suite.cli import functions
from suite.core.errors import UsageError


@pytest.fixture
def parsed():
    return argparse.Namespace(
        baseline="a.py:f", candidate="b.py:g", seconds=1.0, at_least=None, close=None, count=False, speed_only=True,
        threads=1, device="cpu",
    )  # fmt: skip


@pytest.fixture
def child(monkeypatch):
    """``child(code, told)``: the process ends with one code and hands over another one, or none."""

    def ends(code, told):
        def run(command, environment):
            ends.command = command
            if told is not None:
                Path(environment[ENDED]).write_text(json.dumps({"code": told}), "utf-8")
            return code

        monkeypatch.setattr(functions.child, "run_to_end", run)

    return ends


@pytest.mark.parametrize("code", [0, 1, 10, 11])
def test_a_code_that_was_handed_over_is_the_commands(parsed, child, code, capsys):
    """The process came to its end."""
    child(code, code)
    assert code == functions._time(parsed, ())
    assert "" == capsys.readouterr().err
    assert "--speed-only" in child.command


@pytest.mark.parametrize(
    ("ends", "how"),
    [((0, None), "with exit code 0"), ((1, None), "with exit code 1"), ((10, None), "with exit code 10"),
     ((0, 10), "with exit code 0"), ((-11, None), "by SIGSEGV")],
)  # fmt: skip
def test_a_code_that_was_not_handed_over_decides_nothing(parsed, child, ends, how, capsys):
    """The user's code ended the process, before its end or at it."""
    child(*ends)
    assert 11 == functions._time(parsed, ())
    assert f"suite: nothing was decided: the user's code ended the process {how}\n" == capsys.readouterr().err
    assert 11 == functions._pytest(parsed, ())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seconds", float("nan"), "the budget must be a positive number of seconds, got --seconds nan"),
        ("at_least", float("nan"), "--at-least must be a positive number, got nan"),
        ("close", float("nan"), "--close must be a number of at least 0, got nan"),
        ("close", -1.0, "--close must be a number of at least 0, got -1.0"),
    ],
)
def test_a_number_that_is_none_is_refused_before_a_process_starts(parsed, child, name, value, said):
    """Nothing is timed for it."""
    child(0, 0)
    setattr(parsed, name, value)
    with pytest.raises(UsageError, match=said):
        functions._time(parsed, ())
