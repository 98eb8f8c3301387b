"""Cells by their printed name or by their parts."""
# the expected value stands on the left

import pytest
import tiny

from suite.analysis.profile.cells import find_case, parts
from suite.analysis.profile.work import work
from suite.bench.trained_store import TrainedStore
from suite.core.errors import UsageError


def test_a_printed_name_is_understood():
    """As the tables print it."""
    found = find_case(tiny.registry(), "halves-halved(epochs=2)-cpu")
    assert "halves-halved(epochs=2)-cpu" == str(found)


def test_the_parts_name_the_same_cell():
    """The technique defaults to the baseline."""
    assert "halves-baseline-cpu" == str(find_case(tiny.registry(), None, workload="halves", device="cpu"))


def test_parameters_may_hold_hyphens():
    """1e-3, and the device's number."""
    assert ("net", "decay(rate=1e-3)", "cuda:1") == parts("net-decay(rate=1e-3)-cuda:1")


@pytest.mark.parametrize("text", ["halves", "halves-cpu", "-baseline-cpu", ""])
def test_what_is_no_cell_is_refused_with_an_example(text):
    """And with what was given."""
    with pytest.raises(UsageError, match="as in digits_cnn-baseline-cpu"):
        parts(text)


def test_a_name_and_parts_together_are_refused():
    """They could contradict each other."""
    with pytest.raises(UsageError, match="not both"):
        find_case(tiny.registry(), "halves-baseline-cpu", workload="halves")


def test_no_cell_at_all_is_refused():
    """With what to give."""
    with pytest.raises(UsageError, match="name a cell"):
        find_case(tiny.registry(), None)


def test_a_workload_that_is_not_there_has_near_names():
    """As everywhere."""
    with pytest.raises(UsageError, match="did you mean halves"):
        find_case(tiny.registry(), "halfs-baseline-cpu")


@pytest.mark.parametrize("what", ["inference", "training"])
def test_a_round_of_a_cell_fetches_and_computes(what):
    """Beyond the end of the data."""
    made = tiny.registry()
    case = find_case(made, "halves-baseline-cpu")
    found = work(case, TrainedStore(registry=made, device="cpu", trains=False), what)
    for _ in range(6):
        found.compute(found.fetch())
    assert f"halves-baseline-cpu {what}" == found.name
