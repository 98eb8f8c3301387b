"""Networks of torchvision's zoo as workloads."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import torch

from suite.bench.selection import Selection, select
from suite.catalog.workloads.zoo import BY_NAME, PIXELS, own_loss, two_heads, untrained, untrained_zoo
from suite.catalog.zoo.entries import entries
from suite.core.errors import UsageError
from suite.measure.size import parameters
from suite.registry import REGISTRY

NAMES = [f"zoo_{model}" for model in PIXELS]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_names_no_workload_holds_none(name):
    """Neither quick nor default runs do; nothing is learnt."""
    found = REGISTRY.find_workload(name)
    assert ("none", (), False, False) == (found.source, found.scores, found.quick_on("cpu"), found.default_on("cpu"))
    assert name.removeprefix("zoo_") in found.about


@pytest.mark.parametrize("name", NAMES)
def test_what_it_runs_exists(name):
    """A technique that was renamed would be missed in silence."""
    found = REGISTRY.find_workload(name)
    texts = [text for device in ("cpu", "cuda") for text in found.techniques_on(device)]
    assert [] == [text for text in texts if not REGISTRY.resolve(text)]


@pytest.mark.parametrize("model", PIXELS)
def test_images_have_the_published_size(model):
    """Of the first weights, which are the article's."""
    assert PIXELS[model] == entries([model])[0].pixels


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


@pytest.fixture
def registry(monkeypatch):
    """The suite's own, which forgets what is declared by name."""
    monkeypatch.setattr(REGISTRY, "_workloads", dict(REGISTRY.workloads))
    return REGISTRY


def test_large_networks_run_by_name_alone():
    """`--full` would grow by hours."""
    full = {case.cell.workload for case in select(REGISTRY, Selection(profile="full"))[0]}
    assert not full & {f"zoo_{model}" for model in BY_NAME}
    assert "zoo_vit_b_16" in full
    assert ["zoo_resnet50"] == [
        case.cell.workload
        for case in select(REGISTRY, Selection(workloads=["zoo_resnet50"], techniques=["baseline"]))[0]
    ]


@pytest.mark.parametrize(
    ("model", "pixels", "batch"),
    [("vit_h_14", 518, 4), ("ssdlite320_mobilenet_v3_large", 320, 2), ("lraspp_mobilenet_v3_large", 520, 2)],
)
def test_any_other_network_is_declared_when_it_is_asked_for(registry, model, pixels, batch):
    """At its published size; no run that names none holds it."""
    assert f"zoo_{model}" not in registry.workloads
    found = registry.find_workload(f"zoo_{model}")
    assert (batch, False, False, "none") == (found.batch_on("cpu"), found.full, found.default, found.source)
    assert f"{model} on synthetic {pixels} x {pixels}" in found.about
    assert found is registry.find_workload(f"zoo_{model}")


def test_an_unknown_one_has_near_ones_of_the_whole_zoo(registry):
    """Not only of those that are listed."""
    with pytest.raises(UsageError, match="unknown workload 'zoo_resnet_18'; did you mean zoo_resnet18"):
        registry.find_workload("zoo_resnet_18")


def test_a_detector_answers_padded_rows_and_learns_from_its_own_loss():
    """Rows as the detection score has them; scores alone are floating-point numbers."""
    recipe = untrained_zoo("ssdlite320_mobilenet_v3_large", 64, 0)
    network, batch = recipe.model(), next(recipe.batches(recipe.data().train, torch.Generator()))
    loss = recipe.loss(None, batch, network(batch.inputs))
    assert recipe.loss is own_loss
    assert (0, True) == (loss.dim(), bool(loss.isfinite()))
    with torch.no_grad():
        found = network.eval()(batch.inputs)
    assert {"boxes": (2, 300, 4), "labels": (2, 300), "scores": (2, 300)} == {
        k: tuple(v.shape) for k, v in found.items()
    }
    assert ["scores"] == [name for name, value in found.items() if value.is_floating_point()]
    assert (found["scores"].diff(dim=1) <= 0).all()
    assert ((found["labels"] == -1) == (found["scores"] == 0)).all()


def test_segmentation_learns_the_classes_of_pixels():
    """One head here; a second one counts half."""
    recipe = untrained_zoo("lraspp_mobilenet_v3_large", 32, 0)
    batch = next(recipe.batches(recipe.data().train, torch.Generator()))
    assert (2, 32, 32) == tuple(batch.targets.shape)
    output = recipe.model()(batch.inputs)
    alone = recipe.loss(None, batch, output)
    both = two_heads(None, SimpleNamespace(targets=batch.targets), {"out": output["out"], "aux": output["out"]})
    torch.testing.assert_close(1.5 * alone, both)
