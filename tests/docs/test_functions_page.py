"""The test that the page on plain functions shows is run as it stands, without a clock."""

from types import SimpleNamespace

from doc_pages import BLOCKS

from suite.bench import integrity
from suite.bench.functions import comparing
from suite.bench.functions.fixture import WORKER, TradeoffFixture
from suite.measure.sampler.samples import Ratio


def test_the_test_of_the_page_passes_where_the_candidate_is_faster(tmp_path, monkeypatch):
    """It records what it is given, as its second block says."""
    monkeypatch.delenv(WORKER, raising=False)
    faster = SimpleNamespace(suspect=None, ratio=lambda *_: Ratio(value=2.0, low=1.9, high=2.1, n=30, confidence=0.99))
    monkeypatch.setattr(comparing, "_sampled", lambda *_, **__: faster)
    monkeypatch.setattr(integrity, "check_suite", lambda: None)  # a function of the suite is replaced
    told = []
    monkeypatch.setattr(TradeoffFixture, "check", lambda _, result: told.append(str(result)))
    names = {}
    (block,) = [one for one in BLOCKS if (one.page, one.kind) == ("docs/functions.md", "python")]
    exec(compile(block.text, block.page, "exec"), names)  # noqa: S102  # the page's own code
    names["test_fast_norm"](
        TradeoffFixture(nodeid="a.py::test_a", folder=tmp_path, seconds=1.0, inconclusive="fail", records=True)
    )
    assert [True] == [line.startswith("speed-up 2 [1.9, 2.1], outputs differ by ") for line in told]
