"""What is timed against what, and on which inputs."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.measure.arms import BASE, IMAGES_LAST, NULL, TECHNIQUE, Arm, serving_arms
from suite.training.recipe import Split, Splits
from suite.training.serving import serve


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def trained_layouts(fitted, layout):
    return replace(fitted, recipe=replace(fitted.recipe, layout=layout))


def test_sides_are_the_baseline_the_technique_and_eager_channels_last(fitted):
    """Each serves a copy; the third has the baseline's weights in the other layout."""
    other = tiny.fitted(tiny.recipe(1))
    sides = serving_arms(fitted, other, is_baseline=False)
    states = {name: tiny.state(side.served.network) for name, side in sides.items()}
    assert tiny.equal_states(tiny.state(fitted.network), states[BASE])
    assert tiny.equal_states(tiny.state(other.network), states[TECHNIQUE])
    assert tiny.equal_states(tiny.state(fitted.network), states[IMAGES_LAST])
    assert (72, 1, 24, 8) == sides[IMAGES_LAST].served.network.conv[2].weight.stride()
    assert "channels_last" == sides[IMAGES_LAST].served.recipe.layout
    assert fitted.network.conv[2].weight.is_contiguous()


def test_a_baseline_that_is_channels_last_itself_is_not_compared_with_it_twice(fitted):
    """The metric is then absent."""
    base = trained_layouts(fitted, "channels_last")
    assert {BASE, NULL, TECHNIQUE} == set(serving_arms(base, base, is_baseline=True))


def test_a_technique_that_replaces_the_data_is_timed_on_its_own_inputs(fitted):
    """Smaller images are its point; the baseline keeps its own."""
    small = tiny.splits(0)
    small = replace(small, test=replace(small.test, inputs=small.test.inputs[..., :4]))
    cropped = replace(fitted, recipe=replace(fitted.recipe, data=lambda: small))
    seen = {BASE: [], TECHNIQUE: []}
    sides = {
        name: Arm(served=replace(serve(one), call=lambda x, name=name: seen[name].append(tuple(x.shape))))
        for name, one in ((BASE, fitted), (TECHNIQUE, cropped))
    }
    for side in sides.values():
        side.call(8)()
    assert {(8, 1, 8, 8)} == set(seen[BASE])
    assert {(8, 1, 8, 4)} == set(seen[TECHNIQUE])


def test_a_batch_beyond_the_test_set_is_filled_with_repeated_items(fitted):
    """A saturating batch may be larger than the data."""
    assert (40, 1, 8, 8) == tuple(Arm(served=serve(fitted)).inputs(40).shape)


INPUTS = {
    "volumes": torch.zeros(4, 1, 2, 4, 4),
    "tokens": torch.zeros(4, 8, dtype=torch.long),
    "rows": torch.zeros(4, 8),
    "two": (torch.zeros(4, 1, 4, 4), torch.zeros(4, 8)),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_what_is_no_image_has_no_side_in_channels_last(fitted, kind):
    """A Conv3d, token ids: the layout means nothing there, and forcing it would be an error."""
    part = Split(inputs=INPUTS[kind], targets=torch.zeros(4, dtype=torch.long))
    other = replace(fitted, recipe=replace(fitted.recipe, data=lambda: Splits(train=part, test=part)))
    assert {BASE, NULL, TECHNIQUE} == set(serving_arms(other, other, is_baseline=False))
