"""The roofline: intensities, ridge and least times, and that a plot without matplotlib is refused in one sentence."""
# the expected value stands on the left

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CEILINGS

from suite.analysis.profile import tools
from suite.analysis.profile.roofline import Mark, least_seconds, peak, plot, ridge
from suite.core.errors import SetupError

PRODUCT = Mark(name="mm", flops=2e9, moved=1e8, seconds=0.1)


def test_intensity_and_attained_rate_of_a_product():
    """2 GFLOP over 100 MB in 0.1 s."""
    assert 20 == PRODUCT.intensity
    assert 2e10 == PRODUCT.attained


def test_what_moved_nothing_or_took_no_time_has_rates_of_zero():
    """Views."""
    nothing = Mark(name="view", flops=0, moved=0, seconds=0)
    assert (0, 0) == (nothing.intensity, nothing.attained)


def test_the_ridge_is_where_both_ceilings_take_equally_long():
    """100 GFLOP/s over 10 GB/s."""
    assert 10 == ridge(CEILINGS)
    arithmetic, memory = least_seconds(10 * 5e6, 5e6, CEILINGS)
    assert pytest.approx(memory) == arithmetic


def test_a_type_without_a_ceiling_has_that_of_float32():
    """float64, int8."""
    assert 1e11 == peak(CEILINGS, "float64")
    assert 2e11 == peak(CEILINGS, "bfloat16")


@given(flops=st.floats(0, 1e15), moved=st.floats(0, 1e12), more=st.floats(1, 10))
def test_more_work_never_needs_less_time(flops, moved, more):
    """Of either ceiling."""
    before, after = least_seconds(flops, moved, CEILINGS), least_seconds(more * flops, more * moved, CEILINGS)
    assert before[0] <= after[0]
    assert before[1] <= after[1]


def test_without_matplotlib_the_plot_says_what_to_install(monkeypatch, tmp_path):
    """One sentence."""
    monkeypatch.setattr(tools.importlib, "import_module", missing)
    with pytest.raises(SetupError, match="matplotlib is not installed; install it: pip install matplotlib"):
        plot([PRODUCT], CEILINGS, tmp_path / "roofline.png", title="a")


def missing(name):
    raise ImportError(name)


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_the_plot_is_a_picture(tmp_path):
    """PNG."""
    path = plot([PRODUCT], CEILINGS, tmp_path / "roofline.png", title="a")
    assert b"\x89PNG" == path.read_bytes()[:4]
