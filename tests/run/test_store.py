"""The store: a network is trained once, shared where compositions agree, and freed when its cell is done."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.registry import REGISTRY, Registry
from suite.run.store import TrainedStore


@pytest.fixture
def news():
    """What was trained and fine-tuned: (workload, composition, seed), one entry an epoch."""
    return []


@pytest.fixture
def store(news):
    def reporter(workload, composition):
        return lambda progress: news.append((workload, composition, progress.seed))

    return TrainedStore(registry=tiny.registry(), device="cpu", reporter=reporter)


def trained(news):
    """Each training run once, in its order."""
    return list(dict.fromkeys(news))


def test_a_network_is_trained_once_for_a_workload_a_composition_and_a_seed(store, news):
    """However many tests ask, the second answer is the first one."""
    first = store.get("halves", "baseline", 0)
    assert first is store.get("halves", "baseline", 0)
    assert tiny.EPOCHS == len(news)
    store.get("halves", "baseline", 1)
    store.get("halves", "nhwc", 0)
    assert [("halves", "baseline", 0), ("halves", "baseline", 1), ("halves", "nhwc", 0)] == trained(news)


def test_compositions_that_differ_after_training_share_the_fit(store, news):
    """Fine-tuning and deploying start from the baseline's weights; only their own epochs are trained."""
    for composition in ("baseline", "halved(epochs=1)", "wrapped", "longer(epochs=2)+wrapped"):
        store.get("halves", composition, 0)
    assert (
        tiny.EPOCHS * [("halves", "baseline", 0)]
        + [
            ("halves", "halved(epochs=1)", 0),
            ("halves", "longer(epochs=2)+wrapped", 0),
            ("halves", "longer(epochs=2)+wrapped", 0),
        ]
        == news
    )


def test_the_fit_is_shared_whichever_composition_comes_first(store, news):
    """A technique before its baseline trains the baseline's fit."""
    store.get("halves", "halved(epochs=1)", 0)
    store.get("halves", "baseline", 0)
    assert [("halves", "baseline", 0), ("halves", "halved(epochs=1)", 0)] == trained(news)


def test_a_shared_fit_gives_the_weights_of_a_fit_of_its_own(store):
    """Sharing saves time and changes no bit."""
    store.get("halves", "baseline", 0)
    shared = store.get("halves", "halved(epochs=1)", 0)
    own = TrainedStore(registry=store.registry, device="cpu").get("halves", "halved(epochs=1)", 0)
    assert tiny.equal_states(tiny.state(shared.network), tiny.state(own.network))


def test_each_trained_network_carries_the_recipe_of_its_own_composition(store):
    """What is served follows the composition, not the fit that it shares."""
    assert "channels_last" == store.get("halves", "nhwc", 0).recipe.layout
    assert store.get("halves", "wrapped", 0).recipe.deploy is not store.get("halves", "baseline", 0).recipe.deploy


def test_releasing_forgets_the_cell_and_keeps_the_baseline(store, news):
    """The baseline outlives its cell: every other one is compared with it."""
    baseline = store.get("halves", "baseline", 0)
    store.get("halves", "nhwc", 0)
    store.release("halves")
    news.clear()
    assert baseline is store.get("halves", "baseline", 0)
    assert [] == news
    store.get("halves", "nhwc", 0)
    assert [("halves", "nhwc", 0)] == trained(news)


def test_releasing_one_workload_leaves_the_others_alone(store):
    """Names of compositions mean nothing without their workload."""
    kept = store.get("unlabelled", "nhwc", 0)
    store.release("halves")
    assert kept is store.get("unlabelled", "nhwc", 0)


def test_clearing_forgets_the_baseline_too(store, news):
    """Another workload needs none of it."""
    store.get("halves", "baseline", 0)
    store.clear()
    store.get("halves", "baseline", 0)
    assert 2 * tiny.EPOCHS == len(news)


def test_a_workload_without_labels_is_never_trained(store, news):
    """There is nothing to learn from: networks are built, and techniques change their structure alone."""
    store.get("unlabelled", "halved(epochs=1)", 0)
    assert [] == news


def test_the_workloads_target_decides_how_long_is_validated(store):
    """The tiny target is reached, and nobody looks at the accuracy afterwards."""
    epochs = store.get("halves", "baseline", 0).epochs
    reached = [epoch.accuracy is not None and epoch.accuracy >= 0.9 for epoch in epochs]
    assert 1 == sum(reached)
    assert all(epoch.accuracy is None for epoch in epochs[reached.index(True) + 1 :])


def halves_with_real_techniques():
    made = Registry()
    made.workload(target=0.9)(tiny.registry().find_workload("halves").recipe)
    for name in ("baseline", "structured_pruning", "magnitude_pruning", "narrow", "channels_last"):
        found = REGISTRY.find_technique(name)
        made.technique(slots=found.slots)(found.function)
    return made


@pytest.mark.parametrize(
    "technique",
    [
        "baseline",
        "channels_last",
        "structured_pruning(ratio=0.4,epochs=1)",
        "structured_pruning(ratio=0.4,epochs=1)+channels_last",
        "magnitude_pruning",
        "narrow",
    ],
)
def test_a_store_that_does_not_train_builds_what_the_trained_weights_fit(technique):
    """A timing process rebuilds structure and layout from the name alone and loads the weights."""
    registry = halves_with_real_techniques()
    composition = registry.canonical(technique)
    real, built = (
        TrainedStore(registry=registry, device="cpu", trains=trains).get("halves", composition, 0).network
        for trains in (True, False)
    )
    shapes = [{n: (t.shape, t.stride()) for n, t in network.state_dict().items()} for network in (real, built)]
    assert shapes[0] == shapes[1]
    built.load_state_dict(real.state_dict())
    inputs = tiny.splits(0).test.inputs
    assert torch.equal(real(inputs), built(inputs))


def test_a_loss_may_ask_for_the_trained_baseline_of_its_own_seed(store):
    """``reference`` trains the teacher where it was not trained before, and hands it out again."""
    seen = []

    @store.registry.technique(slots=("loss",))
    def taught(plain):
        def loss(trainee, batch, output):
            seen.append(trainee.reference("baseline"))
            return plain.loss(trainee, batch, output)

        return replace(plain, loss=loss)

    store.get("halves", "taught", 3)
    assert {id(store.get("halves", "baseline", 3).network)} == {id(teacher) for teacher in seen}
