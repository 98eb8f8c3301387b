"""Facts of the ledger: against figures by hand, and what they say where something is missing."""
# the expected value stands on the left

import pytest

from suite.claims.facts import FACTS
from suite.claims.quantities import Quantity
from suite.core.errors import SetupError, UnavailableError, UsageError


def compute(name, *arguments):
    return FACTS[name].compute(*arguments)


@pytest.mark.parametrize(
    ("expected", "call"),
    [
        (109_482_240, ("bert_parameters", "base")),
        (335_141_888, ("bert_parameters", "large")),
        (784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, ("lenet_300_100_parameters",)),
        (1.2 * 1.21 * 1.3225, ("compound_cost", 1.2, 1.1, 1.15)),
        (0.2, ("checkpoint_share", 100)),
        (4 * 64 / 68, ("linear_int8_ratio", 64, 8)),
        ((9**2 + 9**3 + 9**4) ** 5, ("elastic_subnetworks",)),
        (31, ("warm_restart_epochs", 1, 2, 5)),
        (2_399_764, ("article_separate_parameters",)),
        (1_201_172, ("article_shared_parameters",)),
        (8 / 9, ("share_of_works_right", "title")),
        (1, ("share_of_works_right", "author and year")),
        (0, ("reports", "main_as_printed", "accuracy")),
        (1, ("reports", "main_as_printed", "parameters")),
    ],
)
def test_a_fact_is_the_figure_by_hand(expected, call):
    """To rounding."""
    assert expected == pytest.approx(compute(*call))


def test_a_pipeline_runs_as_its_slower_stage():
    """Whichever it is; two equal ones at their rate."""
    assert [2, 2, 5] == pytest.approx(
        [compute("pipeline_rate", *rates) for rates in ((9, 2), (2, 9), (5, 5))], rel=0.01
    )


@pytest.mark.parametrize(
    "call", [("dedicated_chip_speedup",), ("scaling_efficiency", 256), ("engine_speedup", "TVM"), ("tool_works", "TVM")]
)
def test_what_is_missing_is_unavailable_and_told(call, monkeypatch):
    """Never a failure of the claim."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"there is no|there are no|no runtime|is not installed"):
        compute(*call)


@pytest.mark.parametrize(
    "call", [("bert_parameters", "basic"), ("tool_works", "TVN"), ("share_of_works_right", "titel")]
)
def test_an_unknown_argument_is_told_with_the_nearest(call):
    """As a mistake of the ledger."""
    with pytest.raises(UsageError, match="unknown"):
        compute(*call)


def test_a_program_that_is_not_there_is_told():
    """By its name."""
    with pytest.raises(SetupError, match="no program 'nothing'"):
        compute("reports", "nothing", "accuracy")


@pytest.mark.system
def test_what_takes_longer_has_intervals():
    """Over seeds, or of a share."""
    for call in (("robustness_change", "int8"), ("membership_auc", "plain"), ("pays_after", "rising")):
        found = compute(*call)
        assert isinstance(found, Quantity)
        assert found.low <= found.value <= found.high
