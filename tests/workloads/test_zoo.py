"""Networks of torchvision's zoo as workloads."""
# the expected value stands on the left

import pytest

from suite.errors import UsageError
from suite.measure.size import parameters
from suite.registry import REGISTRY
from suite.workloads.zoo import PIXELS, untrained
from suite.zoo.entries import entries

NAMES = [f"zoo_{model}" for model in PIXELS]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_names_no_workload_holds_none(name):
    """Neither quick nor default runs do; nothing is learnt."""
    found = REGISTRY.find_workload(name)
    assert ("none", (), False, False) == (found.source, found.scores, found.quick, found.default)
    assert name.removeprefix("zoo_") in found.about


@pytest.mark.parametrize("name", NAMES)
def test_what_it_runs_exists(name):
    """A technique that was renamed would be missed in silence."""
    assert [] == [text for text in REGISTRY.find_workload(name).techniques if not REGISTRY.resolve(text)]


@pytest.mark.parametrize("model", PIXELS)
def test_images_have_the_published_size(model):
    """Of the weights that torchvision takes by default."""
    assert PIXELS[model] == entries([model])[-1].pixels


def test_a_recipe_has_the_network_and_images_of_its_name():
    """64 images, four a step on a CPU."""
    recipe = REGISTRY.find_workload("zoo_mobilenet_v3_small").recipe(0)
    assert (64, 3, 224, 224) == tuple(recipe.data().train.inputs.shape)
    assert 2_542_856 == parameters(recipe.model())
    assert 16 == recipe.steps_per_epoch(64)


def test_an_unknown_network_has_near_ones():
    """One message instead of torchvision's."""
    with pytest.raises(UsageError, match=r"'resnet_18'; did you mean resnet18"):
        untrained("resnet_18")
