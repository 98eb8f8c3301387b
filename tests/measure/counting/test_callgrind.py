"""Counting from within a process: what is called, what is asked of valgrind, and what cannot be counted."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest

from suite.measure.counting import callgrind
from suite.measure.counting.callgrind import Callgrind, NotCountingError


@pytest.fixture
def requests(monkeypatch, tmp_path):
    """Valgrind made up: it notes what it is asked for, and writes a file where it is asked to."""
    asked = []

    def dump(_):
        asked.append("dump")
        (tmp_path / f"out.{asked.count('dump')}").touch()

    made = SimpleNamespace(
        asked=asked, out=str(tmp_path / "out"), suite_on_valgrind=lambda: 1, suite_dump=dump,
        **{f"suite_{name}": lambda name=name: asked.append(name) for name in ("start", "stop", "toggle")},
    )  # fmt: skip
    monkeypatch.setattr(callgrind.ctypes, "CDLL", lambda _: made)
    return made


@pytest.fixture
def clocks(monkeypatch):
    """Sets what the process and the calling thread compute during a call, in seconds."""

    def compute(whole, own):
        for name, seconds in (("process_time", whole), ("thread_time", own)):
            monkeypatch.setattr(callgrind, name, iter((0.0, seconds)).__next__)

    return compute


def test_only_counted_calls_are_collected(requests, clocks):
    """After warm-up, and one more since instrumentation began; each is reset before."""
    clocks(1.0, 1.0)
    calls, note = [], requests.asked.append
    files = Callgrind("l.so", requests.out).counted(
        lambda: (calls.append(0), note("call")), lambda: note("reset"), warm_up=3, repeats=2
    )
    assert [f"{requests.out}.1", f"{requests.out}.2"] == files
    one = ["reset", "toggle", "call", "toggle", "dump"]
    assert ["call"] * 3 + ["start", "reset", "call", *one, *one, "stop"] == requests.asked


@pytest.mark.parametrize(("whole", "own"), [(1.0, 0.99), (0.001, 0.0001)])
def test_what_reading_clocks_takes_is_no_work_of_other_threads(requests, clocks, whole, own):
    """Nor is a hundredth of the call."""
    clocks(whole, own)
    assert Callgrind("l.so", requests.out).counted(lambda: None, lambda: None)


def test_work_of_other_threads_is_refused(requests, clocks):
    """It would not be counted."""
    clocks(1.0, 0.4)
    with pytest.raises(NotCountingError, match="other threads do 60% of its work, which callgrind does not count"):
        Callgrind("l.so", requests.out).counted(lambda: None, lambda: None)
    assert [] == requests.asked


def test_without_valgrind_nothing_is_counted(requests, monkeypatch):
    """A plain process."""
    monkeypatch.setattr(requests, "suite_on_valgrind", lambda: 0)
    with pytest.raises(NotCountingError, match="does not run under valgrind"):
        Callgrind("l.so", requests.out)


def test_a_file_that_valgrind_did_not_write_is_told(requests, clocks, monkeypatch):
    """Instrumentation ends all the same."""
    clocks(1.0, 1.0)
    monkeypatch.setattr(requests, "suite_dump", lambda _: None)
    with pytest.raises(NotCountingError, match=r"valgrind has not written out\.1"):
        Callgrind("l.so", requests.out).counted(lambda: None, lambda: None)
    assert "stop" == requests.asked[-1]
