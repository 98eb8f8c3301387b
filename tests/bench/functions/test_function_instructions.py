"""Instructions of two functions: what decides, and what the processes under valgrind are asked and say."""
# the expected value stands on the left

import json
from types import SimpleNamespace

import pytest

from suite.bench.functions import instructions
from suite.bench.functions.instructions import InstructionRatio
from suite.core.errors import UnavailableError
from suite.measure.counting.instructions import InstructionCount


def ratio(before, now, doubt=None):
    one, other = (InstructionCount(value=value, functions={"f": value}, doubt=doubt) for value in (before, now))
    return InstructionRatio(baseline=one, candidate=other)


def test_two_counts_of_the_same_code_are_no_difference():
    """Nothing is named below a two thousandth, and the bound 1 holds."""
    found = ratio(10_000, 10_004)
    assert "instructions 10,000 -> 10,004 (+0.04%)" == str(found)
    assert found.at_least(1.0)
    assert not ratio(10_000, 10_006).at_least(1.0)


def test_a_count_that_does_not_repeat_decides_nothing():
    """However many fewer there are."""
    decision = ratio(2000, 1000, doubt="the count does not repeat").at_least(1.5)
    assert (False, True) == (bool(decision), decision.is_open)
    assert decision.figure.endswith("the count does not repeat")


@pytest.fixture
def processes(monkeypatch):
    """Processes under valgrind made up; returns their commands, and takes what they end with."""
    seen, ends = [], {"code": 0, "told": ""}

    def start(command, *, env, **_):
        seen.append((command, env))
        printed = json.dumps([command[-1]]) + "\n"
        return SimpleNamespace(returncode=ends["code"], communicate=lambda: (printed, ends["told"]))

    monkeypatch.setattr(instructions.instructions, "check_available", lambda _: None)
    monkeypatch.setattr(instructions.instructions, "library", lambda folder: folder / "l.so")
    values = {"old.py:f": 3000, "new.py:f": 1000}
    monkeypatch.setattr(
        instructions.instructions, "read", lambda files: InstructionCount(value=values[files[0]], functions={})
    )
    monkeypatch.setattr(instructions.subprocess, "Popen", start)
    return seen, ends


def test_each_function_has_a_process_under_valgrind(processes):
    """With capped libraries."""
    seen, _ = processes
    assert 3.0 == instructions.counted("old.py:f", "new.py:f").value
    assert ["valgrind", "valgrind"] == [command[0] for command, _ in seen]
    assert all(instructions.instructions.VARIABLES.items() <= env.items() for _, env in seen)
    assert 2 == len({command[-2] for command, _ in seen})


def test_a_process_that_fails_is_told(processes):
    """An instruction that valgrind does not know by name."""
    _, ends = processes
    ends.update(code=-4, told="first\nunhandled instruction bytes")
    with pytest.raises(
        UnavailableError, match=r"ended with -4: unhandled instruction bytes \(valgrind knows no AVX-512"
    ):
        instructions.counted("old.py:f", "new.py:f")
