"""Planted bottlenecks: real work, recorded and named. Nothing is asserted of absolute times."""
# the expected value stands on the left

import json

import planted
import pytest
import torch

from suite.analysis.profile.bottleneck import analyse
from suite.analysis.profile.counting import Counting
from suite.analysis.profile.recording import record

BUILT = [(expected, build) for expected, builds in planted.PLANTED.items() for build in builds]


@pytest.mark.system
@pytest.mark.timed
@pytest.mark.parametrize(("expected", "build"), BUILT, ids=[build.__name__ for _, build in BUILT])
def test_a_planted_bottleneck_is_named(expected, build):
    """Slow loaders, tiny kernels, copies beyond the cache, products; beside other work, the answer may be 'unclear'."""
    assert expected == analyse(record(build(), seconds=0.05), planted.CEILINGS).verdict


def test_a_recording_counts_the_operators_of_one_round():
    """200 products of 8 x 8: 2 n^3 FLOPs each."""
    found = {each.name: each for each in record(planted.tiny_kernels(), seconds=0.01).operators}
    assert {"aten::mm", "aten::relu"} == set(found)
    assert 200 == found["aten::mm"].calls
    assert 200 * 2 * 8**3 == found["aten::mm"].flops
    assert 200 * 3 * 8 * 8 * 4 == found["aten::mm"].moved


def test_the_trace_names_the_parts_of_every_round(tmp_path):
    """Chrome's format."""
    record(planted.slow_loader(), seconds=0.01, trace=tmp_path / "trace.json")
    names = {event.get("name") for event in json.loads((tmp_path / "trace.json").read_text("utf-8"))["traceEvents"]}
    assert {f"suite round {k}: {part}" for k in range(5) for part in ("data", "compute")} <= names


def counted(call):
    counting = Counting()
    with counting:
        call()
    return counting.counts


def test_a_copy_reads_one_tensor_and_writes_one():
    """What is overwritten is not read; neither is an output that is given."""
    one, other = torch.ones(100), torch.ones(100)
    assert 800 == counted(lambda: other.copy_(one))["aten::copy_"].moved
    assert 400 == counted(other.zero_)["aten::zero_"].moved
    assert 1200 == counted(lambda: torch.add(one, one, out=other))["aten::add"].moved


def test_views_move_nothing():
    """They share memory."""
    one = torch.ones(10, 10)
    assert 0 == counted(one.t)["aten::t"].moved


def test_the_backward_pass_is_counted_too():
    """One product forward, two backward."""
    left, right = torch.ones(4, 4, requires_grad=True), torch.ones(4, 4, requires_grad=True)
    found = counted(lambda: (left @ right).sum().backward())
    assert 3 == found["aten::mm"].calls
    assert 3 * 2 * 4**3 == found["aten::mm"].flops
