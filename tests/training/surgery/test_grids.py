"""Weights on a grid: nearest codes, good scales, and artefacts that decode to the last bit."""
# the expected value stands on the left

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.core.errors import UnavailableError
from suite.training.surgery import grids

GRIDS = st.builds(
    grids.Grid, bits=st.sampled_from(grids.BITS), group=st.sampled_from([grids.ROW, grids.TENSOR, 1, 3, 32])
)
SHAPES = st.sampled_from([(1, 1), (3, 7), (4, 2, 3), (5, 2, 2, 2)])
WEIGHTS = st.builds(
    lambda shape, seed, size: size * torch.randn(shape, generator=torch.Generator().manual_seed(seed)),
    SHAPES,
    st.integers(0, 99),
    st.sampled_from([1e-6, 0.1, 30.0]),
)


def rounded(weight, grid):
    layer = nn.Module()
    layer.weight = nn.Parameter(weight.clone())
    grids.settle(layer, grid)
    return layer.weight.detach()


@given(WEIGHTS, GRIDS)
def test_what_was_rounded_is_read_back_and_stays(weight, grid):
    """Codes are whole, few and recovered from the weights alone; rounding twice is rounding once."""
    found = rounded(weight, grid)
    codes, scales = grids.read(found, grid)
    assert torch.equal(codes, codes.round())
    assert codes.abs().max() <= grid.most
    assert torch.equal(found, grid.ungrouped(codes * scales, found.shape).float())
    assert torch.equal(found, rounded(found, grid))


@given(WEIGHTS, GRIDS)
def test_the_scale_is_at_least_as_good_as_that_of_the_largest_weight(weight, grid):
    """In squared error; and it is a bfloat16."""
    groups = grid.grouped(weight)
    plain = (groups.abs().amax(1, keepdim=True) / grid.most).bfloat16().double()
    errors = [(groups - s * grids.codes(groups, s, grid)).square().sum() for s in (grids.fit(groups, grid), plain)]
    assert errors[0] <= errors[1]
    assert torch.equal(grids.fit(groups, grid), grids.fit(groups, grid).bfloat16().double())


@given(WEIGHTS, GRIDS)
def test_groups_are_undone(weight, grid):
    """Whatever the row's length is to the group's."""
    assert torch.equal(weight.double(), grid.ungrouped(grid.grouped(weight), weight.shape))


@given(st.sampled_from(grids.BITS), st.lists(st.integers(0, 255), max_size=40))
def test_packed_numbers_are_unpacked(bits, numbers):
    """In as few whole bytes as hold them."""
    numbers = torch.tensor([number % 2**bits for number in numbers], dtype=torch.long)
    packed = grids.pack(numbers, bits)
    assert -(-len(numbers) * bits // 8) == len(packed)
    assert torch.equal(numbers, grids.unpack(packed, bits, len(numbers)))


@given(WEIGHTS, GRIDS)
def test_an_artefact_decodes_to_its_state(weight, grid):
    """Coded where it lies on the grid, as it is elsewhere."""
    state = {"a.w": rounded(weight, grid), "raw": torch.randn(3, 3), "b": torch.randn(3), "n": torch.tensor(7)}
    found = grids.decode(grids.encode(state, {"a.w"}, grid))
    assert state.keys() == found.keys()
    assert all(torch.equal(state[name], found[name]) for name in state)


def test_a_refit_scale_is_the_least_squares_one():
    """<w, q> / <q, q> of the codes that there are; none for zeros alone."""
    groups, scale = torch.tensor([[0.9, 2.2, -0.1], [0.0, 0.0, 0.0]]).double(), torch.ones(2, 1).double()
    found = grids.refit(groups, scale, grids.Grid(bits=4))
    assert pytest.approx((0.9 + 2 * 2.2) / 5, rel=2**-8) == float(found[0])
    assert 1 == float(found[1])


def test_weights_off_the_grid_are_told_from_those_on_it():
    """Nine values are too many for four bits' seven magnitudes."""
    assert grids.read(torch.arange(1.0, 9.5)[None], grids.Grid(bits=4)) is None
    assert grids.read(torch.arange(0.0, 7.5)[None], grids.Grid(bits=4)) is not None
    assert grids.read(torch.zeros(2, 3), grids.Grid(bits=2)) is not None


@pytest.mark.parametrize("bits", grids.BITS)
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_of_every_type_are_coded_and_decode_to_themselves(bits, kind):
    """Few digits of bfloat16 are left for a scale; the codes are real, and the type comes back."""
    torch.manual_seed(0)
    network = nn.Linear(64, 64).to(kind)
    grid = grids.Grid(bits=bits)
    grids.settle(network, grid)
    assert grids.read(network.weight, grid) is not None
    artefact = grids.coded_bytes(network, grid)
    assert 0 < len(artefact) - 64 * 64 * bits // 8 < 2 * 64 + 64 * network.bias.element_size() + 700
    assert kind is grids.decode(artefact)["weight"].dtype


def test_tied_weights_are_coded_once_and_decode_under_both_names():
    """The layer that shares them adds a name, and no codes."""
    torch.manual_seed(0)
    plain, tied = (nn.Sequential(nn.Linear(64, 64, bias=False), nn.Linear(64, 64, bias=False)) for _ in range(2))
    tied[1].weight = tied[0].weight
    grid = grids.Grid(bits=8)
    for network in (plain, tied):
        grids.settle(network, grid)
    artefact = grids.coded_bytes(tied, grid)
    assert len(artefact) < 0.6 * len(grids.coded_bytes(plain, grid))
    assert {"0.weight", "1.weight"} == set(grids.decode(artefact))


def test_codes_that_are_longer_than_the_weights_are_unavailable():
    """A few weights: names and scales take more."""
    network = nn.Linear(2, 2)
    grids.settle(network, grids.Grid(bits=8))
    with pytest.raises(UnavailableError, match=r"its artefact takes .* bytes and the weights as they are"):
        grids.coded_bytes(network, grids.Grid(bits=8))
