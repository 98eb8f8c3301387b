"""Work of other threads and processes while functions are timed."""
# the expected value stands on the left

import pytest

from suite.bench.functions import elsewhere
from suite.bench.functions.elsewhere import watched
from suite.core.errors import ImplausibleError


@pytest.fixture
def work(monkeypatch):
    """Others work for so many seconds of the hundred that the body takes, ``pool`` of them in native workers."""

    def set_up(seconds, pool=0.0):
        clock, cpu, native = iter([0.0, 0.0, 100.0]), iter([3.0, 3.0 + seconds]), iter([{7: 1.0}, {7: 1.0 + pool}])
        monkeypatch.setattr(elsewhere, "monotonic", lambda: next(clock))
        monkeypatch.setattr(elsewhere, "_elsewhere", lambda: next(cpu))
        monkeypatch.setattr(elsewhere, "_native_workers", lambda: next(native))

    return set_up


def doubt_of(*, on_host=True):
    with watched(on_host=on_host) as found:
        pass
    return found.doubt


def test_a_process_of_one_thread_does_its_work_there(work, monkeypatch):
    """Whatever else works cannot be timed."""
    monkeypatch.setenv("SUITE_THREADS", "1")
    work(9.0)
    assert "" == doubt_of()
    work(11.0, pool=11.0)
    with pytest.raises(ImplausibleError, match=r"11 s of work went to other threads or to child processes in 1e\+02 s"):
        doubt_of()


def test_what_works_beside_the_turns_of_one_arm_is_not_averaged_away(monkeypatch):
    """A third of the time is the candidate's."""
    monkeypatch.setenv("SUITE_THREADS", "1")
    times = iter([(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (2.0, 0.2)])
    monkeypatch.setattr(elsewhere, "_now", lambda: next(times))
    monkeypatch.setattr(elsewhere, "_elsewhere", lambda: 0.0)

    def turns():
        with watched(on_host=True) as found:
            found.turn_ended("baseline")
            found.turn_begins()
            found.turn_ended("candidate")

    with pytest.raises(ImplausibleError, match=r"0\.2 s of work went to other threads .* in 1 s"):
        turns()


def test_in_a_plain_process_it_is_a_doubt_unless_a_pool_did_it(work, monkeypatch):
    """A matrix product may have several threads there, which wait for it."""
    monkeypatch.delenv("SUITE_THREADS", raising=False)
    work(11.0)
    assert "suite pytest --threads N" in doubt_of()
    work(21.0, pool=20.0)
    assert "" == doubt_of()


def test_several_threads_that_were_asked_for_and_accelerators_are_left_alone(work, monkeypatch):
    """There nobody can tell."""
    work(50.0)
    assert "" == doubt_of(on_host=False)
    monkeypatch.setenv("SUITE_THREADS", "2")
    assert "" == doubt_of()


def test_this_process_and_its_workers_are_read():
    """A thread of Python's is no native worker."""
    assert elsewhere._elsewhere() >= 0.0
    assert all(seconds >= 0 for seconds in elsewhere._native_workers().values())
