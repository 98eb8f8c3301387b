"""What a launch makes of what its ranks left behind; no rank starts here."""
# the expected value stands on the left

import json
import os
from types import SimpleNamespace

import pytest

from suite.core.errors import SuiteError, TechniqueError, UsageError
from suite.training.distributed import launching
from suite.training.distributed.in_ranks import ForkedRanks
from suite.training.distributed.launching import LaunchLimits, Rank, RankError, run_ranks

CLOSED = "Connection closed by peer [127.0.0.1]:1234"


def failure(code, name="SIGKILL"):
    return SimpleNamespace(exitcode=code, signal_name=lambda: name)


def left(folder, errors, attempt=0):
    """The files of ranks that failed."""
    for index, (kind, message) in errors.items():
        (folder / f"late-{attempt}-{index}").write_text("", "utf-8")
        said = json.dumps({"kind": kind, "message": message})
        (folder / f"error-{attempt}-{index}.json").write_text(said, "utf-8")


def error_of(folder, failures):
    return launching._error_of(folder, 2, failures)


def test_a_launch_of_no_rank_is_refused():
    with pytest.raises(UsageError, match="one rank or more, got ranks=0"):
        run_ranks(str, 0)


def test_a_killed_rank_is_named_though_another_lost_its_connection(tmp_path):
    left(tmp_path, {0: ("RuntimeError", CLOSED)})
    assert "rank 1 of 2 was killed by SIGKILL" == str(error_of(tmp_path, {0: failure(1), 1: failure(-9)}))


def test_a_rank_s_own_fault_comes_before_a_lost_connection(tmp_path):
    left(tmp_path, {0: ("RuntimeError", CLOSED), 1: ("ValueError", "no such thing")})
    assert "rank 1 of 2 failed: ValueError: no such thing" == str(error_of(tmp_path, {0: failure(1)}))


def test_the_last_attempt_counts(tmp_path):
    left(tmp_path, {0: ("ValueError", "first")})
    left(tmp_path, {1: ("ValueError", "second")}, attempt=3)
    assert "second" in str(error_of(tmp_path, {}))


def test_an_error_of_the_suite_keeps_its_kind(tmp_path):
    left(tmp_path, {0: ("TechniqueError", "does not compress")})
    found = error_of(tmp_path, {0: failure(1)})
    assert (TechniqueError, "does not compress") == (type(found), str(found))


def test_a_rank_that_its_watchdog_ended_says_where_it_was(tmp_path):
    (tmp_path / "late-0-0").write_text("", "utf-8")
    (tmp_path / "late-0-1").write_text('Timeout (0:00:02)!\n  File "mine.py", line 3 in slow\n', "utf-8")
    found = error_of(tmp_path, {1: failure(1)})
    assert isinstance(found, RankError)
    assert str(found).startswith("rank 1 of 2 did not end in time; it was in")
    assert "in slow" in str(found)


@pytest.mark.parametrize(
    ("limits", "ends"),
    [(ForkedRanks(ranks=2).limits, []), (LaunchLimits(whole=7.0), [7.0]), (LaunchLimits(), [3600.0])],
)
def test_only_a_launch_that_has_a_limit_is_ended_by_it(limits, ends, monkeypatch, tmp_path):
    """A training in ranks takes as long as it does."""
    found = []
    monkeypatch.setattr(launching.faulthandler, "dump_traceback_later", lambda seconds, **_: found.append(seconds))
    launching._watched(Rank(index=0, world=2), tmp_path, limits).close()
    assert ends == found
    assert (tmp_path / "late-0-0").is_file()  # which tells how many attempts there were


def test_the_missing_ranks_are_read_from_gloo_s_sentence():
    said = "[Rank 0]: Ranks 1, 3 failed to pass monitoredBarrier in 1500 ms"
    assert ["1", "3"] == launching._named(said)


@pytest.mark.parametrize(("cores", "pinned"), [((5, 2), [{2}]), ((5, 2, 7), [{2}]), ((5,), [{5}]), ((), [])])
def test_a_rank_is_pinned_to_its_core_or_shares_those_that_there_are(cores, pinned, monkeypatch):
    """Without any it stays where it is."""
    found = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: found.append(cores), raising=False)
    launching._pin(Rank(index=1, world=2), cores)
    assert pinned == found


def test_a_sandbox_that_forbids_affinity_is_no_error(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    launching._pin(Rank(index=1, world=2), (0, 1))


def test_a_rank_s_failure_is_an_error_that_the_command_line_shows():
    assert issubclass(RankError, SuiteError)
