"""Techniques that zero weights: which ones, how many, until when; and what they leave alone."""
# the expected value stands on the left

from dataclasses import replace
from operator import attrgetter

import pytest
import technique_samples as samples
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from technique_samples import composed, trained
from torch import nn
from torch.nn.utils import parametrizations, prune

from suite.catalog.techniques.gradual_pruning import Gradual
from suite.core.errors import UnavailableError, UsageError
from suite.registry import REGISTRY
from suite.training import loop
from suite.training.surgery import masks

AFTER = ["layerwise_pruning", "random_pruning", "gradual_pruning"]
LAYERS = ("conv.0", "conv.2", "fc1", "fc2")


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def weights(network):
    return [attrgetter(name)(network).weight.detach() for name in LAYERS]


def zeros(network):
    return [int((weight == 0).sum()) for weight in weights(network)]


def shares(network, sparsity):
    return [round(sparsity * weight.numel()) for weight in weights(network)]


def fit(text, **changes):
    recipe = composed(text, tiny.recipe(**changes))
    return loop.fit(recipe, seed=0, device="cpu", reference=tiny.no_reference, goal=None, report=None)


# -- masks ------------------------------------------------------------------------------------------------------------


def parameters(sizes, seed=0):
    torch.manual_seed(seed)
    return {nn.Parameter(torch.zeros(2, size)): torch.randn(2, size).abs() for size in sizes}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.floats(0, 1, exclude_max=True), st.integers(0, 99))
def test_one_threshold_splits_all_scores_and_each_layer_its_own(sizes, sparsity, seed):
    """As many go as were asked for, and none that stays has a lower score than one that went."""
    scores = parameters(sizes, seed)
    for found, groups in (
        (masks.across(scores, sparsity), [list(scores)]),
        (masks.each(scores, sparsity), [[weight] for weight in scores]),
    ):
        for group in groups:
            score, keep = (torch.cat([table[weight].flatten() for weight in group]) for table in (scores, found))
            assert round(sparsity * len(score)) == int((keep == 0).sum())
            assert max(score[keep == 0], default=0) <= min(score[keep == 1], default=torch.inf)


def test_of_equal_scores_the_first_go_first():
    """The same on every device: sorting is stable."""
    weight = nn.Parameter(torch.zeros(2, 2))
    assert [0, 0, 1, 1] == masks.each({weight: torch.ones(2, 2)}, 0.5)[weight].flatten().tolist()


def test_lots_are_the_seeds():
    """The same seed prunes the same weights, another one others."""
    network = tiny.Net()
    first, again, other = (torch.cat([c.flatten() for c in masks.chances(network, s).values()]) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# -- what all of them share -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*AFTER, "prune_at_init"])
def test_a_share_of_all_weights_and_less_than_none_are_no_sparsity(name):
    """The error names technique, parameter and value."""
    for sparsity in (1.0, -0.25):
        with pytest.raises(UsageError, match=rf"{name}: sparsity must be in \[0, 1\), got {sparsity}"):
            composed(f"{name}(sparsity={sparsity})")
    assert composed(f"{name}(sparsity=0)")


@pytest.mark.parametrize("name", AFTER)
def test_fewer_than_no_epochs_are_an_error(name):
    """What fine-tunes says so before anything is trained."""
    with pytest.raises(UsageError, match=f"{name}: epochs must be 0 or more, got -1"):
        composed(f"{name}(epochs=-1)")


@pytest.mark.parametrize("name", AFTER)
def test_the_control_trains_on_for_as_many_epochs(name):
    """Or the gain of training longer would be pruning's own."""
    control = REGISTRY.control(REGISTRY.resolve(f"{name}(epochs=2)"))
    assert "extra_epochs(epochs=2)" == control.name


@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize("epochs", [0, 1])
def test_biases_shapes_and_names_stay(name, epochs, fitted):
    """Only weights are zeroed, and the network is a plain one: no hooks, no masks in what ships."""
    found = trained(f"{name}(sparsity=0.9,epochs={epochs})", fitted=fitted).network
    before, after = tiny.state(fitted.network), tiny.state(found)
    assert {name: value.shape for name, value in before.items()} == {name: v.shape for name, v in after.items()}
    assert not any((after[name] == 0).any() for name in after if name.endswith("bias"))
    assert not any(module._forward_pre_hooks for module in found.modules())


@pytest.mark.parametrize("name", AFTER)
def test_nothing_to_prune_and_nothing_to_train_is_the_identity(name, fitted):
    """Bit by bit."""
    found = trained(f"{name}(sparsity=0.0,epochs=0)", fitted=fitted).network
    assert tiny.equal_states(tiny.state(fitted.network), tiny.state(found))


@pytest.mark.parametrize("name", AFTER)
def test_masks_go_on_from_what_was_finished_before_and_are_the_same_every_time(name, fitted):
    """A second pruning of other weights adds to the first one; two runs agree to the last bit."""
    runs = [trained(f"magnitude_pruning(epochs=0)+{name}(sparsity=0.9,epochs=1)", fitted=fitted) for _ in range(2)]
    assert tiny.equal_states(*(tiny.state(run.network) for run in runs))
    total = sum(weight.numel() for weight in weights(fitted.network))
    assert round(0.9 * total) - 2 <= sum(zeros(runs[0].network))  # each layer rounds for itself


@pytest.mark.parametrize("name", AFTER)
def test_a_network_without_matrices_cannot_be_pruned(name):
    """Unavailable, with the reason."""
    with pytest.raises(UnavailableError, match="no weight of two or more dimensions to change"):
        trained(f"{name}(epochs=0)", samples.recipe_of(lambda: nn.LayerNorm(6), torch.randn(4, 6)))


def test_a_network_without_matrices_cannot_be_pruned_at_initialisation_either():
    """Before the first step."""
    with pytest.raises(UnavailableError, match="no weight of two or more dimensions to change"):
        composed("prune_at_init", tiny.recipe()).constraints[0](nn.LayerNorm(6))


FROZEN = nn.Linear(8, 8).requires_grad_(requires_grad=False)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (FROZEN, r"all are frozen \(requires_grad=False\)"),
        (parametrizations.weight_norm(nn.Linear(8, 8)), "factors of weight or spectral norm; remove_parametrizations"),
        (
            parametrizations.spectral_norm(nn.Linear(8, 8)),
            "factors of weight or spectral norm; remove_parametrizations",
        ),
        (nn.Embedding(8, 8), "all are embeddings"),
    ],
    ids=["frozen", "weight norm", "spectral norm", "embedding"],
)
def test_weights_that_are_left_out_are_told_with_the_reason(network, why):
    with pytest.raises(UnavailableError, match=rf"no weight of two or more dimensions to change: .*{why}"):
        masks.prunable(network)


# -- one by one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.2, 0.9])
def test_layerwise_pruning_masks_what_torchs_own_pruning_masks(sparsity, fitted):
    """`l1_unstructured` with the same amount, layer by layer."""
    found = trained(f"layerwise_pruning(sparsity={sparsity},epochs=0)", fitted=fitted).network
    reference = tiny.Net()
    reference.load_state_dict(fitted.network.state_dict())
    for name in LAYERS:
        prune.l1_unstructured(attrgetter(name)(reference), "weight", sparsity)
    assert all(map(torch.equal, weights(reference), weights(found)))


@pytest.mark.parametrize("name", ["layerwise_pruning", "gradual_pruning"])
def test_every_layer_has_the_sparsity_after_fine_tuning(name, fitted):
    """Exactly, in each layer; what survives has been trained."""
    found = trained(f"{name}(sparsity=0.7,epochs=1)", fitted=fitted).network
    assert shares(found, 0.7) == zeros(found)
    assert not torch.equal(
        weights(found)[2], weights(trained(f"{name}(sparsity=0.7,epochs=0)", fitted=fitted).network)[2]
    )


def test_random_pruning_reaches_its_sparsity_over_the_network_whatever_the_magnitudes(fitted):
    """As many as pruning by magnitude, other ones, and they stay zero while it is fine-tuned."""
    untouched, tuned, large = (
        weights(trained(text, fitted=fitted).network)
        for text in ("random_pruning(epochs=0)", "random_pruning(epochs=1)", "magnitude_pruning(epochs=0)")
    )
    masked = [[weight == 0 for weight in found] for found in (untouched, tuned, large)]
    assert all(map(torch.equal, masked[0], masked[1]))
    total = sum(weight.numel() for weight in untouched)
    assert round(0.8 * total) == sum(int(mask.sum()) for mask in masked[0]) == sum(int(m.sum()) for m in masked[2])
    assert not all(map(torch.equal, masked[0], masked[2]))


def test_pruning_at_initialisation_zeroes_the_smallest_untrained_weights_for_good():
    """Those of the seed's network before the first step: after all epochs they are zero, and no others."""
    found = fit("prune_at_init(sparsity=0.6)").network
    start = masks.each(masks.magnitudes(loop.built(tiny.recipe(), 0)), 0.6)
    assert [(mask == 0).tolist() for mask in start.values()] == [(weight == 0).tolist() for weight in weights(found)]
    assert tiny.Net().state_dict().keys() == found.state_dict().keys()


def test_pruning_at_initialisation_holds_with_weight_decay_and_through_fine_tuning():
    """An optimizer that moves weights without gradients, and a copy of the network that is trained on."""
    recipe = composed("prune_at_init(sparsity=0.6)+extra_epochs(epochs=1)", tiny.recipe())
    recipe = replace(recipe, optimizer=lambda weights, rate: torch.optim.AdamW(weights, lr=rate / 10, weight_decay=0.1))
    first = loop.fit(recipe, seed=0, device="cpu", reference=tiny.no_reference, goal=None, report=None)
    after = loop.finish(first, recipe, reference=tiny.no_reference)
    assert shares(first.network, 0.6) == zeros(first.network) == zeros(after.network)
    assert not torch.equal(first.network.fc1.weight, after.network.fc1.weight)


def test_pruning_nothing_at_initialisation_trains_as_the_baseline_does():
    """Bit by bit: the masks change no random number."""
    assert tiny.equal_states(
        tiny.state(fit("baseline").network), tiny.state(fit("prune_at_init(sparsity=0.0)").network)
    )


@pytest.mark.parametrize("text", ["{}+gradient_checkpointing", "gradient_checkpointing+{}"])
def test_pruning_at_initialisation_holds_however_the_network_is_prepared(text):
    """Whoever wraps it, and whichever technique is named first."""
    assert shares(tiny.Net(), 0.6) == zeros(fit(text.format("prune_at_init(sparsity=0.6)")).network)


@pytest.mark.parametrize("chooses", ["ema", "early_stopping"])
@pytest.mark.parametrize(
    "name",
    [
        *("magnitude_pruning(sparsity=0.8,epochs=1)", "layerwise_pruning(epochs=1)", "random_pruning(epochs=1)"),
        *("gradual_pruning(epochs=2)", "prune_at_init", "deep_compression(sparsity=0.8,epochs=1)"),
        "lottery_ticket(sparsity=0.8,rounds=2,rewind=2,epochs=2)",
    ],
)
def test_weights_that_training_chooses_to_keep_are_masked(chooses, name):
    """An average, or the best epoch's: what is zero stays zero, whichever technique is named first."""
    for text in (f"{chooses}+{name}", f"{name}+{chooses}"):
        found = trained(text).network
        assert sum(shares(found, 0.8)) - 2 <= sum(zeros(found)) <= sum(shares(found, 0.8)) + 2


@pytest.mark.parametrize("text", ["ema+{}", "{}+ema"])
def test_an_average_is_on_the_grid_and_has_the_pattern(text):
    """Fifteen levels for a row, and two of four."""
    levels = trained(text.format("simulated_qat(bits=4,epochs=1)")).network.fc1.weight
    assert all(len(row.unique()) <= 15 for row in levels)
    kept = trained(text.format("semi_structured(epochs=1)")).network.fc1.weight != 0
    assert int(kept.unflatten(1, (-1, 4)).sum(2).max()) <= 2


def test_a_ticket_keeps_its_mask_in_later_fine_tuning():
    """As other masks do."""
    found = trained("lottery_ticket(sparsity=0.75,rounds=2,rewind=0,epochs=2)+extra_epochs(epochs=1)").network
    assert sum(zeros(found)) == round(0.75 * sum(weight.numel() for weight in weights(found)))


@pytest.mark.parametrize(("parameter", "value"), [("ramp", 0.0), ("ramp", 1.5), ("updates", 0)])
def test_a_ramp_is_a_share_and_has_updates(parameter, value):
    """The error names the parameter and its value."""
    with pytest.raises(UsageError, match=rf"gradual_pruning: {parameter} must be .*, got {value}"):
        composed(f"gradual_pruning({parameter}={value})")


def test_gradual_pruning_rises_along_the_cubic_and_brings_no_weight_back():
    """Four updates over eight steps: 1 - (1 - k / 4)^3 of the final sparsity after every second step."""
    network = nn.Sequential(nn.Linear(100, 10))
    gradual, found, gone = Gradual(network, 0.8, steps=8, updates=4), [], torch.zeros(10, 100, dtype=torch.bool)
    trainee = loop.start(tiny.recipe(), seed=0, device="cpu", reference=tiny.no_reference)
    for step in range(1, 11):
        with torch.no_grad():
            network[0].weight.add_(0.5)  # an update that would bring all of them back
        trainee.steps = step
        gradual(trainee)
        zero = network[0].weight == 0
        assert not (gone & ~zero).any()
        gone = zero
        found.append(int(zero.sum()))
    course = [round(800 * (1 - (1 - k / 4) ** 3)) for k in range(5)]
    assert [course[min(4, step // 2)] for step in range(1, 11)] == found


@pytest.mark.parametrize("ramp", [0.1, 1.0])
@pytest.mark.parametrize("updates", [1, 1000])
def test_gradual_pruning_ends_at_its_sparsity_however_short_the_ramp_and_many_the_updates(ramp, updates, fitted):
    """More updates than steps, or one alone."""
    found = trained(f"gradual_pruning(sparsity=0.7,epochs=1,ramp={ramp},updates={updates})", fitted=fitted).network
    assert shares(found, 0.7) == zeros(found)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_the_factors_of_weight_norm_are_not_pruned(norm):
    """A row of zeros has no direction; other layers are pruned as ever."""
    network = nn.Sequential(norm(nn.Linear(4, 4)), nn.Linear(4, 4))
    assert [id(network[1].weight)] == [id(weight) for weight in masks.prunable(network)]


def test_complex_weights_are_not_pruned():
    """Grids and codes are of real numbers."""
    network = nn.Linear(4, 4)
    network.spectrum = nn.Parameter(torch.zeros(4, 4, dtype=torch.cfloat))
    assert [id(network.weight)] == [id(weight) for weight in masks.prunable(network)]
