"""Gradient checkpointing as a technique: the same training from segments."""
# the expected value stands on the left

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.bench.requirements import require_structure
from suite.core.errors import CompositionError, UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training.recipe import changed_slots


def test_training_in_segments_ends_at_the_same_weights():
    """But for rounding; what is kept is the network itself."""
    found = tiny.fitted(composed("gradient_checkpointing"))
    assert isinstance(found.network, tiny.Net)
    torch.testing.assert_close(tiny.state(tiny.fitted().network), tiny.state(found.network), rtol=1e-4, atol=1e-5)


def test_only_the_prepared_form_changes():
    """Serving stays."""
    plain = tiny.recipe()
    assert ("prepare",) == changed_slots(plain, composed("gradient_checkpointing(segments=2)", plain))


def test_a_network_that_another_technique_wraps_is_not_cut_in_silence():
    """The error says which one to name first."""
    with pytest.raises(CompositionError, match="name gradient_checkpointing first"):
        composed("feature_hints+gradient_checkpointing")
    assert composed("gradient_checkpointing+feature_hints")


@pytest.mark.parametrize("segments", [-1, 1])
def test_a_number_of_segments_that_saves_nothing_is_an_error(segments):
    """The error names the value."""
    with pytest.raises(UsageError, match=rf"segments must be 0 \(the square root\) or 2 or more, got {segments}"):
        composed(f"gradient_checkpointing(segments={segments})")


def test_a_network_that_cannot_be_cut_is_unavailable_before_training():
    """One operation has no border inside."""
    recipe = composed("gradient_checkpointing", tiny.recipe(model=lambda: nn.Sequential(nn.Flatten())))
    case = tiny.case_of(REGISTRY, "gradient_checkpointing", "digits_cnn")
    with pytest.raises(UnavailableError, match="too few"):
        require_structure(case, recipe)
