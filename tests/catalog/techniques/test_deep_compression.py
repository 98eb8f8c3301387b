"""Pruned weights that share few values: the nearest ones, coded without loss."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from technique_samples import composed, trained
from torch import nn

from suite.core.errors import CompositionError, OutputError, UsageError
from suite.measure.size import serialized
from suite.training.serving import serve
from suite.training.surgery import codebook

NUMBERS = st.lists(st.floats(-8, 8, width=16), min_size=1, max_size=40).map(torch.tensor)


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


@settings(max_examples=30)  # Lloyd's rounds take long where values are many and near one another
@given(NUMBERS, st.integers(1, 9))
def test_centroids_are_means_of_what_is_nearest_to_them(values, count):
    """K-means has converged: another round would change nothing."""
    found = codebook.centroids(values, count)
    assert count == len(found)
    assert (found.diff() >= 0).all()
    nearest = torch.bucketize(values.double(), (found[1:] + found[:-1]) / 2)
    for cluster in nearest.unique():
        torch.testing.assert_close(values.double()[nearest == cluster].mean(), found[cluster], rtol=1e-9, atol=1e-9)


@pytest.mark.system  # scikit-learn takes seconds to import
def test_centroids_are_scikit_learns_from_the_same_starts():
    """Lloyd's algorithm on numbers, one time more."""
    from sklearn.cluster import KMeans

    values = torch.randn(500, generator=torch.Generator().manual_seed(0)).double()
    starts = torch.linspace(float(values.min()), float(values.max()), 6).double()
    other = KMeans(6, init=starts[:, None].numpy(), n_init=1, tol=0, algorithm="lloyd").fit(values[:, None].numpy())
    expected = torch.tensor(other.cluster_centers_[:, 0]).sort().values
    torch.testing.assert_close(expected, codebook.centroids(values, 6))


def test_as_many_values_as_centroids_are_kept_exactly():
    """Nothing is lost where there is a value for each evenly spaced weight; one weight alone is its own."""
    values = torch.tensor([1.0, 2.0, 3.0, 2.0])
    assert [1.0, 2.0, 3.0] == codebook.centroids(values, 3).tolist()
    assert [5.0] * 4 == codebook.centroids(torch.tensor([5.0]), 4).tolist()


@given(st.integers(1, 300), st.integers(0, 99))
def test_what_is_coded_decodes_to_equal_values(count, seed):
    """Tables of up to 256 values, tensors of more, whole numbers, scalars and empty ones."""
    torch.manual_seed(seed)
    matrix = torch.randn(count)[torch.randint(count, (30, 20))]
    state = {"a.w": matrix, "b": torch.randn(3), "n": torch.tensor(7), "e": torch.empty(0, 2), "h": matrix.half()}
    found = codebook.decode(codebook.encode(state))
    assert state.keys() == found.keys()
    assert all(torch.equal(state[name], found[name]) and state[name].dtype == found[name].dtype for name in state)


@given(st.lists(st.integers(0, 5000), unique=True, max_size=30).map(sorted))
def test_distances_tell_the_places_however_far_apart(places):
    """Up to 254 take one byte."""
    found = torch.tensor(places, dtype=torch.long)
    coded = codebook.steps(found)
    assert torch.equal(found, codebook.positions(coded))
    assert len(coded) == sum(1 + gap // 255 for gap in found.diff(prepend=torch.tensor([-1])).tolist())


def test_an_artefact_that_does_not_decode_to_itself_does_not_count():
    """No number equals NaN, so it cannot be verified."""
    network = nn.Linear(2, 2)
    with torch.no_grad():
        network.weight[0, 0] = torch.nan
    with pytest.raises(OutputError, match=r"do not decode .*: weight"):
        codebook.coded_bytes(network)


@pytest.mark.parametrize("clusters", [1, 4])
def test_each_tensor_has_as_many_values_and_zeros_stay(clusters, fitted):
    """Those of pruning are zero, the others one of a few; biases are as they were."""
    finished = trained(f"deep_compression(clusters={clusters},epochs=1,value_epochs=0)", fitted=fitted)
    before, after = finished.network, serve(finished).network
    for name, weight in after.named_parameters():
        plain = before.get_parameter(name)
        if weight.dim() > 1:
            assert len(weight[weight != 0].unique()) <= clusters
            assert torch.equal(plain == 0, weight == 0)
        else:
            assert torch.equal(plain, weight)
    total = sum(weight.numel() for weight in before.parameters() if weight.dim() > 1)
    assert round(0.9 * total) == sum(int((weight == 0).sum()) for weight in after.parameters() if weight.dim() > 1)


def test_the_artefact_is_the_coded_one_and_much_smaller(fitted):
    """It decodes to what is served; a plain artefact has four bytes for every weight."""
    served = serve(trained("deep_compression(epochs=0,value_epochs=0)", fitted=fitted))
    artefact, _ = serialized(served)
    plain, _ = serialized(serve(fitted))
    assert len(artefact) < len(plain) / 3
    assert tiny.equal_states(tiny.state(served.network), codebook.decode(artefact))


def test_a_value_gets_the_gradients_of_all_its_members():
    """Summed by code; a zero gets none."""
    codes, gradients = torch.tensor([[1, 2, 0], [2, 1, 1]]), torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    assert [[12, 6, 0], [6, 12, 12]] == codebook.summed(codes, gradients).tolist()
    assert [[4, 3, 0], [3, 4, 4]] == codebook.summed(codes, gradients, mean=True).tolist()


@given(st.integers(1, 9), st.integers(0, 99))
def test_sharing_again_changes_nothing(clusters, seed):
    """A tensor that has no more values keeps them, and its codes."""
    torch.manual_seed(seed)
    layer = nn.Linear(8, 6)
    layer.weight.data[0] = 0
    codes = codebook.share(layer, clusters)[layer.weight]
    before = layer.weight.detach().clone()
    assert torch.equal(codes, codebook.share(layer, clusters)[layer.weight])
    assert torch.equal(before, layer.weight)
    assert torch.equal(codes == 0, before == 0)
    assert len(before[before != 0].unique()) <= clusters


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_shared_values_are_trained_and_stay_shared(kind):
    """Codes stay as they were, zeros too; the values move, by the sum of the gradients for plain SGD."""
    layer, inputs = nn.Linear(8, 6, bias=False), torch.randn(4, 8)
    layer.weight.data[0] = 0
    held = codebook.Shared(codebook.share(layer, 4))
    codes, before = held.codes[layer.weight], layer.weight.detach().clone()
    (gradient,) = torch.autograd.grad(layer(inputs).square().sum(), layer.weight)
    held.begin(layer)
    optimizer = kind(layer.parameters(), lr=0.01)
    layer(inputs).square().sum().backward()
    optimizer.step()
    held.restore(layer)
    if kind is torch.optim.SGD:
        torch.testing.assert_close(before - 0.01 * codebook.summed(codes, gradient), layer.weight.detach())
    assert not torch.equal(before[1:], layer.weight[1:])
    assert bool((layer.weight[0] == 0).all())
    assert all(1 == len(layer.weight[codes == code].unique()) for code in codes.unique())


def test_what_another_technique_replaced_shares_no_more_and_hooks_end():
    """A weight of another shape, and gradients after the last training."""
    layer = nn.Linear(8, 6)
    held = codebook.Shared(codebook.share(layer, 2))
    held.begin(layer)
    held.end()
    layer(torch.ones(1, 8)).sum().backward()
    assert torch.equal(torch.ones(6, 8), layer.weight.grad)
    held.begin(nn.Linear(8, 6))
    assert {} == held.codes


def test_values_are_trained_in_the_one_loop(fitted):
    """Each tensor has other values than without, and as few; later fine-tuning keeps them shared."""
    plain, tuned = (
        trained(f"deep_compression(clusters=4,epochs=0,value_epochs={n})", fitted=fitted).network for n in (0, 1)
    )
    later = trained("deep_compression(clusters=4,epochs=0)+extra_epochs(epochs=1)", fitted=fitted).network
    assert not torch.equal(plain.fc1.weight, tuned.fc1.weight)
    for network in (plain, tuned, later):
        assert all(len(w[w != 0].unique()) <= 4 for w in network.parameters() if w.dim() > 1)


@pytest.mark.parametrize("given_", ["sparsity=1.0", "clusters=0", "clusters=256", "epochs=-1", "value_epochs=-1"])
def test_parameters_out_of_range_are_errors(given_):
    """They name the parameter and its value."""
    name, _, value = given_.partition("=")
    with pytest.raises(UsageError, match=f"deep_compression: {name} must be .*got {value}"):
        composed(f"deep_compression({given_})")


def test_it_composes_with_what_trains_and_with_no_other_quantizer(fitted):
    """Structure first, codes last."""
    recipe = composed("extra_epochs(epochs=1)+deep_compression(epochs=0,value_epochs=0)+channels_last")
    assert "channels_last" == recipe.layout
    found = trained("extra_epochs(epochs=1)+deep_compression(epochs=0,value_epochs=0)", fitted=fitted)
    assert len(fitted.epochs) + 1 == len(found.epochs)
    assert serialized(serve(replace(found, recipe=found.recipe)))
    with pytest.raises(CompositionError, match="use one of them"):
        composed("deep_compression+pure_bf16")
