"""Noise within and between processes, false alarms and detectable losses, from figures that are made up."""
# the expected value stands on the left

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from suite.analysis.aa import table
from suite.analysis.aa.figures import figures
from suite.cli.aa import doubts, summaries
from suite.cli.main import main
from suite.core.errors import UsageError
from suite.core.metrics import measured

VALUES = (1.0, 1.01, 0.99, 1.0, 1.005)


def speedup(value, half=2.576e-3, **details):
    return measured(
        tiny.BASELINE_CELL, "speedup", value, low=value - half, high=value + half, confidence=0.99, n=100, **details
    )


def of(*values, half=2.576e-3):
    return figures([speedup(value, half) for value in values])


def test_what_a_process_states_is_its_interval_as_a_standard_error():
    """A 99 % interval of a normal distribution reaches 2.576 standard errors."""
    assert pytest.approx(1e-3, rel=0.01) == of(*VALUES).within


def test_processes_that_agree_have_nothing_between_them():
    """All of their spread is stated already."""
    assert 0 == of(1.0, 1.0, 1.0, 1.0).between


@given(st.lists(st.floats(0.5, 2.0), min_size=4, max_size=8))
def test_noise_within_and_between_add_up_to_the_spread(values):
    """In squares, where the spread is more than what is stated."""
    found = of(*values)
    assert found.spread**2 <= found.between**2 + found.within**2 + 1e-12


def test_an_outlier_below_the_others_bound_is_an_alarm():
    """Each process is judged by a bound that the others make."""
    assert (1, 5) == ((found := of(1.0, 1.0, 1.0, 1.0, 0.9)).alarms, found.judged)
    assert 0 == of(*VALUES).alarms


def test_the_detectable_loss_holds_bound_interval_and_spread():
    """At least the distance of the bound; more noise, more of it."""
    calm, restless = of(*VALUES), of(*(1 + 3 * (value - 1) for value in VALUES))
    assert calm.value - calm.low < calm.loss < restless.loss


def test_too_few_processes_are_refused():
    """Three know nothing of a fourth."""
    with pytest.raises(UsageError, match="at least 4 processes, got 3"):
        of(1.0, 1.0, 1.0)


def test_disturbed_processes_do_not_count():
    """With one of five disturbed four remain, with two there are too few."""
    rows = [{"speedup": speedup(1.0), "throughput": measured(tiny.BASELINE_CELL, "throughput", 5.0)}] * 4
    disturbed = {"speedup": speedup(0.5, suspect="preempted")}
    (found,) = summaries([*rows, disturbed])
    assert ("speedup", 4, 1.0) == (found.metric, found.n, found.value)
    assert [] == summaries([*rows[:3], disturbed])
    assert ["speedup: process 5 does not count: preempted"] == doubts([*rows, disturbed])


def test_the_table_holds_noise_alarms_and_loss():
    """As Markdown for people and CSV for pandas."""
    found = [of(*VALUES)]
    assert "0 of 5 [0%, 43%]" in table.markdown(found)
    assert "alarms" in table.comma_separated(found).splitlines()[0]


def test_fewer_than_four_processes_are_refused_before_training(capsys, tmp_path):
    """The option says what it needs."""
    assert 11 == main(["aa", f"--reports-dir={tmp_path}", "--processes=3"])
    assert "--processes must be at least 4" in capsys.readouterr().err
