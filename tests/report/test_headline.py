"""Three sentences: what serves best without a measurable loss, what else is faster, what loses."""
# the expected value stands on the left

import pytest

from suite.report.headline import sentences

BASE = {
    "workload": "digits", "device": "cpu", "technique": "baseline", "control": None, "score": "accuracy",
    "score_unit": "1", "score_better": "higher", "accuracy": 0.98, "accuracy_low": 0.97, "accuracy_high": 0.99,
}  # fmt: skip


def row(technique, difference=0.0, width=0.004, *, speedup=1.0, smaller=1.0, suspect=None, control="baseline", **more):
    versus = dict(zip(("", "_low", "_high"), (difference, difference - width, difference + width), strict=True))
    return {
        **BASE,
        "technique": technique,
        "control": control,
        "accuracy": 0.98 + difference,
        "accuracy_low": 0.97 + difference,
        "accuracy_high": 0.99 + difference,
        **{f"accuracy_vs_control{end}": value for end, value in versus.items()},
        "speedup": speedup,
        "speedup_low": speedup - 0.05,
        "speedup_high": speedup + 0.05,
        "speedup_suspect": suspect,
        "bytes_ratio": smaller,
        **more,
    }


def said(*rows):
    (line,) = sentences([BASE, *rows])
    return line.removeprefix("digits on cpu: ")


def test_the_fastest_without_a_loss_comes_first_then_the_others_then_what_loses():
    """With speed-up, size and the loss that would have shown."""
    found = said(
        row("int8", 0.001, speedup=3.0, smaller=3.5), row("compiled", speedup=1.7), row("narrow", -0.02, speedup=5.0)
    )
    assert (
        "int8 is fastest without a measurable loss (a loss shows from 0.40 points), 3.00x [2.95, 3.05], 3.50 times "
        "smaller. Faster without one, too: compiled (1.70x, from 0.40 points). With a loss: narrow (2.00 points)."
    ) == found


def test_the_smallest_is_named_where_it_is_another_one():
    """Its size alone."""
    assert "; pruned is smallest, 4.00 times smaller." in said(
        row("int8", speedup=3.0), row("pruned", speedup=1.0, smaller=4.0)
    )
    assert "pruned is smallest without a measurable loss, 4.00 times smaller; nothing is faster without one." == said(
        row("pruned", speedup=1.0, smaller=4.0)
    )


def test_a_ratio_that_was_disturbed_or_reaches_below_1_is_no_speed_up():
    """Then nothing is faster."""
    rows = (row("taken", speedup=3.0, suspect="another process"), row("equal", speedup=1.04))
    assert "nothing serves faster or smaller without a measurable loss." == said(*rows)


@pytest.mark.parametrize(
    ("unknown", "said_instead"),
    [
        (
            {"bytes_ratio": None},
            "nothing serves faster without a measurable loss; no size beside the baseline's is known.",
        ),
        ({"speedup": None}, "nothing is smaller without a measurable loss; no sound speed-up is known."),
        ({"speedup_suspect": "busy"}, "nothing is smaller without a measurable loss; no sound speed-up is known."),
        (
            {"speedup": None, "bytes_ratio": None},
            "no sound speed-up and no size beside the baseline's is known.",
        ),
    ],
)
def test_nothing_is_said_of_what_was_not_compared(unknown, said_instead):
    """A run without the baseline as a cell compares no sizes; one of qualities alone has no times."""
    plain = row("plain", speedup=1.0) | {"bytes_ratio": 1.0}
    assert said_instead == said(plain | unknown)


def test_what_has_another_control_is_compared_with_the_baseline_by_both_intervals():
    """A narrow network that learns from a teacher gains on its control and loses to the baseline."""
    taught = row("taught", 0.01, speedup=4.0, control="narrow")
    lost = {"accuracy": 0.95, "accuracy_low": 0.94, "accuracy_high": 0.96}
    assert "With a loss: taught (3.00 points)." in said(taught | lost)
    assert "taught is fastest" in said(taught | {"accuracy": 0.975, "accuracy_low": 0.965, "accuracy_high": 0.985})


def test_a_score_of_which_less_is_better_loses_upwards():
    """Perplexity, say."""
    higher = row("pruned", 0.02, speedup=2.0, score_better="lower")
    assert "With a loss: pruned" in said(higher)


def test_many_names_are_counted():
    """Four are spelled out."""
    assert "and 2 more." in said(*(row(f"t{k}", speedup=2.0 + k / 10) for k in range(7)))


def test_without_comparisons_there_is_no_sentence():
    """The baseline alone, or a workload without a score."""
    assert [] == sentences([BASE])
    assert [] == sentences([BASE | {"score": None}, row("int8", score=None)])


def test_the_loss_that_would_have_shown_is_that_of_the_worse_side():
    """A gain of 0.1 points whose interval reaches 2 points down and 0.2 up: a loss shows from 0.2 points."""
    found = row("int8", 0.001, speedup=3.0) | {"accuracy_vs_control_low": -0.02, "accuracy_vs_control_high": 0.003}
    assert "(a loss shows from 0.20 points)" in said(found)
