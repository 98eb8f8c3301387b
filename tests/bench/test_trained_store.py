"""The store: a network is trained once, shared where compositions agree, and freed when its cell is done."""
# the expected value stands on the left

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import tiny
import torch

from suite.bench.trained_store import TrainedStore
from suite.catalog.scores import classification
from suite.registry import REGISTRY, Registry


@pytest.fixture
def news():
    """What was trained and fine-tuned: (workload, composition, seed), one entry an epoch."""
    return []


@pytest.fixture
def store(news):
    def reporter(workload, composition):
        return lambda progress: news.append((workload, composition, progress.seed))

    return TrainedStore(registry=tiny.registry(), device="cpu", reporter=reporter)


def get(store, workload, composition, seed=0):
    """What the store gives for names."""
    return store.get(store.registry.find_workload(workload), store.registry.resolve(composition), seed)


def trained(news):
    """Each training run once, in its order."""
    return list(dict.fromkeys(news))


def test_a_network_is_trained_once_for_a_workload_a_composition_and_a_seed(store, news):
    """However many tests ask, the second answer is the first one."""
    first = get(store, "halves", "baseline", 0)
    assert first is get(store, "halves", "baseline", 0)
    assert tiny.EPOCHS == len(news)
    get(store, "halves", "baseline", 1)
    get(store, "halves", "nhwc", 0)
    assert [("halves", "baseline", 0), ("halves", "baseline", 1), ("halves", "nhwc", 0)] == trained(news)


def test_compositions_that_differ_after_training_share_the_fit(store, news):
    """Fine-tuning and deploying start from the baseline's weights; only their own epochs are trained."""
    for composition in ("baseline", "halved(epochs=1)", "wrapped", "longer(epochs=2)+wrapped"):
        get(store, "halves", composition, 0)
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
    get(store, "halves", "halved(epochs=1)", 0)
    get(store, "halves", "baseline", 0)
    assert [("halves", "baseline", 0), ("halves", "halved(epochs=1)", 0)] == trained(news)


def test_a_shared_fit_gives_the_weights_of_a_fit_of_its_own(store):
    """Sharing saves time and changes no bit."""
    get(store, "halves", "baseline", 0)
    shared = get(store, "halves", "halved(epochs=1)", 0)
    own = get(TrainedStore(registry=store.registry, device="cpu"), "halves", "halved(epochs=1)")
    assert tiny.equal_states(tiny.state(shared.network), tiny.state(own.network))


def test_each_trained_network_carries_the_recipe_of_its_own_composition(store):
    """What is served follows the composition, not the fit that it shares."""
    assert "channels_last" == get(store, "halves", "nhwc", 0).recipe.layout
    assert get(store, "halves", "wrapped", 0).recipe.deploy is not get(store, "halves", "baseline", 0).recipe.deploy


def test_releasing_forgets_the_cell_and_keeps_the_baseline(store, news):
    """The baseline outlives its cell: every other one is compared with it."""
    baseline = get(store, "halves", "baseline", 0)
    get(store, "halves", "nhwc", 0)
    store.release(store.registry.find_workload("halves"))
    news.clear()
    assert baseline is get(store, "halves", "baseline", 0)
    assert [] == news
    get(store, "halves", "nhwc", 0)
    assert [("halves", "nhwc", 0)] == trained(news)


def test_releasing_one_workload_leaves_the_others_alone(store):
    """Names of compositions mean nothing without their workload."""
    kept = get(store, "unlabelled", "nhwc", 0)
    store.release(store.registry.find_workload("halves"))
    assert kept is get(store, "unlabelled", "nhwc", 0)


def test_clearing_forgets_the_baseline_too(store, news):
    """Another workload needs none of it."""
    get(store, "halves", "baseline", 0)
    store.clear()
    get(store, "halves", "baseline", 0)
    assert 2 * tiny.EPOCHS == len(news)


def test_a_workload_whose_data_carry_no_meaning_is_never_trained(store, news):
    """There is nothing to learn from: networks are built, and techniques change their structure alone."""
    get(store, "unlabelled", "halved(epochs=1)", 0)
    assert [] == news


def test_the_workloads_target_decides_how_long_is_validated(store):
    """The tiny target is reached, and nobody looks at the score afterwards."""
    epochs = get(store, "halves", "baseline", 0).epochs
    reached = [epoch.score is not None and epoch.score >= 0.9 for epoch in epochs]
    assert 1 == sum(reached)
    assert all(epoch.score is None for epoch in epochs[reached.index(True) + 1 :])


def halves_with_real_techniques():
    made = Registry()
    made.workload(scores=classification(), target=0.9)(tiny.registry().find_workload("halves").recipe)
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
def test_a_store_that_does_not_train_builds_the_same_structures(technique):
    """Where the data carry no meaning, shapes and strides alone are what a technique changes."""
    registry = halves_with_real_techniques()
    real, built = (
        get(TrainedStore(registry=registry, device="cpu", trains=trains), "halves", technique).network
        for trains in (True, False)
    )
    shapes = [{n: (t.shape, t.stride()) for n, t in network.state_dict().items()} for network in (real, built)]
    assert shapes[0] == shapes[1]
    built.load_state_dict(real.state_dict())
    inputs = tiny.splits(0).test.inputs
    assert torch.equal(real(inputs), built(inputs))


def test_a_loss_may_ask_for_the_trained_baseline_of_its_own_seed(store):
    """``reference`` trains the teacher where it was not trained before, and hands out one copy of it."""
    seen = []

    @store.registry.technique(slots=("loss",))
    def taught(plain):
        def loss(trainee, batch, output):
            seen.append(trainee.reference("baseline"))
            return plain.loss(trainee, batch, output)

        return replace(plain, loss=loss)

    get(store, "halves", "taught", 3)
    base = get(store, "halves", "baseline", 3).network
    assert 1 == len({id(teacher) for teacher in seen})
    assert base is not seen[0]
    assert all(map(torch.equal, base.parameters(), seen[0].parameters()))


def test_a_teacher_that_is_trained_late_is_trained_as_ever(store):
    """A loss that asks without gradients gets the same network, and draws the same numbers as if it had been there."""
    drawn = []

    @store.registry.technique(slots=("loss",))
    def taught(plain):
        def loss(trainee, batch, output):
            with torch.no_grad():
                trainee.reference("baseline")(batch.inputs)
            drawn.append(float(torch.rand(())))
            return plain.loss(trainee, batch, output)

        return replace(plain, loss=loss)

    late, number = get(store, "halves", "taught", 3), len(drawn)
    store.release(store.registry.find_workload("halves"))
    again = get(store, "halves", "taught", 3)
    assert drawn[:number] == drawn[number:]
    assert tiny.equal_states(tiny.state(late.network), tiny.state(again.network))


def test_a_checkpoint_is_never_fitted_but_its_techniques_fine_tune(news):
    """The recipe's own network is the trained one; what follows training is done in earnest."""
    made = tiny.registry()

    @made.workload(source="checkpoint", scores=classification())
    def bought(seed):
        """Comes trained."""
        return tiny.recipe(seed)

    store = TrainedStore(
        registry=made, device="cpu", reporter=lambda _, composition: lambda _progress: news.append(composition)
    )
    untouched = tiny.state(get(store, "bought", "baseline").network)
    assert [] == news
    torch.manual_seed(0)
    assert tiny.equal_states(tiny.state(tiny.Net()), untouched)
    get(store, "bought", "longer(epochs=2)")
    assert 2 * ["longer(epochs=2)"] == news


def test_a_workload_that_returns_no_recipe_is_named_with_its_place():
    """The likeliest slip is a function without `return`."""
    made = tiny.registry()

    @made.workload(scores=classification())
    def forgetful(seed):
        """Return nothing."""

    with pytest.raises(
        TypeError, match=r"workload 'forgetful' at .*test_trained_store\.py:\d+ must return a Recipe.*None"
    ):
        get(TrainedStore(registry=made, device="cpu"), "forgetful", "baseline")


def test_data_that_were_handed_over_are_used_instead_of_loading(store):
    """A worker process receives its parent's; it may not be able to load them again."""
    given = tiny.splits(7)
    worker = TrainedStore(registry=store.registry, device="cpu", trains=False, splits=given)
    workload = store.registry.find_workload("halves")
    assert given is worker.plain(workload, 0).data()
    assert given is worker.recipe(workload, store.registry.resolve("nhwc"), 0).data()


def test_parking_leaves_a_network_usable(store):
    """On a CPU nothing moves; asking again brings the same network, and nothing is trained."""
    first = get(store, "halves", "nhwc", 1)
    store.park(store.registry.find_workload("halves"), 1)
    assert first is get(store, "halves", "nhwc", 1)


def test_parking_moves_every_network_of_a_seed_and_no_other():
    """The baseline that a technique was fine-tuned from would otherwise stay on the accelerator, one for each seed."""
    store, moved = TrainedStore(registry=tiny.registry(), device="cuda"), []

    def held(*names):
        return {
            (workload, name, seed): SimpleNamespace(network=FakeNetwork(partial(_note, moved, workload, name, seed)))
            for workload, name, seed in names
        }

    store._fitted = held(("halves", "baseline", 0), ("halves", "baseline", 1), ("others", "baseline", 1))
    store._finished = held(("halves", "halved(epochs=1)", 1))
    store.park(store.registry.find_workload("halves"), 1)
    assert [("halves", "baseline", 1, "cpu"), ("halves", "halved(epochs=1)", 1, "cpu")] == moved


def test_a_network_that_lies_on_the_device_is_not_moved_again():
    """A distillation loss asks for its teacher at every step; a walk over all weights is no part of the step."""
    store, moved = TrainedStore(registry=tiny.registry(), device="cuda"), []
    key = ("halves", "baseline", 0)
    store._finished = {key: SimpleNamespace(network=FakeNetwork(moved.append))}
    for _ in range(3):
        assert store._finished[key] is store._unparked(store._finished, key)
    store.park(store.registry.find_workload("halves"), 0)
    store._unparked(store._finished, key)
    assert ["cuda", "cpu", "cuda"] == moved


class FakeNetwork:
    """As much of a network as parking touches."""

    def __init__(self, to):
        self.to = to


def _note(moved, *what):
    moved.append(what)
