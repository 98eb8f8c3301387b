"""What ``nox -s distributed`` prints, without a rank."""
# the expected value stands on the left

import pytest

from suite.analysis.distributed import __main__ as session
from suite.analysis.distributed.alpha_beta import AllReduceTime, AlphaBeta
from suite.core.errors import UsageError
from suite.training.distributed.launching import RankError


def test_bytes_that_take_no_time_have_no_bandwidth():
    """Times that do not grow with the bytes."""
    times = [AllReduceTime(ranks=2, payload=size, seconds=1e-4) for size in (4, 1 << 10, 1 << 22)]
    model = session.fitted([*times, AllReduceTime(ranks=2, payload=1 << 23, seconds=0.5e-4)])
    assert 0 == model.beta
    assert "no time a byte that could be told from the messages'" == session._bandwidth(model)
    assert "0.50 GB/s" == session._bandwidth(AlphaBeta(alpha=0, beta=2e-9, error=0))


@pytest.mark.parametrize("error", [RankError("rank 1 of 2 was killed by SIGKILL"), UsageError("no ranks")])
def test_a_failed_rank_ends_the_session_with_its_sentence(error, monkeypatch, capsys):
    def failing():
        raise error

    monkeypatch.setattr(session, "allowed_cores", lambda: {0, 1})
    monkeypatch.setattr(session, "_measured", failing)
    assert 11 == session.main()
    assert f"{error}\n" == capsys.readouterr().err


def test_one_core_is_too_few(monkeypatch, capsys):
    monkeypatch.setattr(session, "allowed_cores", lambda: {3})
    assert 11 == session.main()
    assert "two ranks need two cores, and this process may use one" in capsys.readouterr().out
