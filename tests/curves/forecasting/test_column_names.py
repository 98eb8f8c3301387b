"""Which direction is better: told by the name of a column or by the user, never by the values."""

import numpy as np
import pytest

from suite.curves.forecasting import ExtrapolationError
from suite.curves.forecasting.kinds import Kind
from suite.curves.forecasting.names import assumed, group_of

FALLING, RISING = np.array([0.9, 0.6, 0.4, 0.3]), np.array([0.3, 0.4, 0.6, 0.9])
NAMES = {
    "loss": "val_loss valLoss eval/loss loss val_dfl train.box_loss perplexity NLL bits_per_byte RMSE log_loss "
    "neg_reward negative_log_likelihood cross_entropy brier_score mean_squared_error",
    "error": "error error_rate top1_err WER val_cer miss_rate false_negative_rate test_error_score",
    "accuracy": "accuracy val_acc score quality acc@1 top5 mAP50-95 metrics/mAP50(B) f1_score AUC recall "
    "true_negative_rate valAccuracy R2 mIoU",
    "gain": "reward episode_return log_likelihood BLEU psnr neg_log_loss neg_mean_squared_error",
}


@pytest.mark.parametrize(("group", "name"), [(g, n) for g, names in NAMES.items() for n in names.split()])
def test_a_name_says_what_a_quality_is(group, name):
    assert group == group_of(name)


@pytest.mark.parametrize("name", ["y", "value", "metric", "accuracy_loss", "loss_accuracy", "", "epoch", "class"])
def test_a_name_that_says_nothing_or_two_things_tells_no_direction(name):
    assert group_of(name) is None


def test_an_exported_run_is_no_part_of_the_name():
    """Exports of dashboards write 'run - column'."""
    assert "loss" == group_of("accurate-lion-3 accuracy - val_loss")


@pytest.mark.parametrize("values", [FALLING, RISING])
def test_the_values_do_not_tell_the_direction(values):
    """A loss that rises diverges, and an accuracy that falls gets worse."""
    assert Kind("loss", "lower") == assumed("val_loss", values).kind
    assert Kind("accuracy", "higher") == assumed("accuracy", values).kind
    assert Kind("accuracy", "lower") == assumed("error_rate", values).kind


def test_what_is_given_wins_over_the_name():
    assert Kind("unbounded", "lower") == assumed("y", RISING, "unbounded", "lower").kind
    assert Kind("loss", "lower") == assumed("y", RISING, "loss").kind
    assert Kind("accuracy", "higher") == assumed("y", RISING, "accuracy").kind
    assert Kind("accuracy", "lower") == assumed("error", RISING, "accuracy").kind
    assert "higher" == assumed("loss", RISING, better="higher").kind.better


def test_without_any_hint_it_is_refused_with_the_options():
    with pytest.raises(ExtrapolationError, match="'y' does not tell whether higher or lower is better; say --kind"):
        assumed("y", RISING)
    with pytest.raises(ExtrapolationError, match="does not tell"):
        assumed("y", RISING, "unbounded")


def test_the_assumption_is_a_sentence_that_names_its_source():
    assert "val_loss is taken as a loss, better when lower (by its name)" == assumed("val_loss", RISING).said
    assert "y is taken as a loss, better when lower (as given)" == assumed("y", RISING, "loss").said
    assert assumed("y", RISING, "accuracy").said.endswith("better when higher (by --kind accuracy)")


def test_values_that_break_the_promise_of_a_name_are_unbounded():
    """A loss may be negative, an accuracy in percent."""
    assert Kind("unbounded", "lower") == assumed("loss", RISING - 0.5).kind
    assert Kind("unbounded", "higher") == assumed("accuracy", 100 * RISING).kind
    assert Kind("loss", "lower") == assumed("error", 100 * FALLING).kind
