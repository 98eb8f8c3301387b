"""Bytes held between calls, counted tensor by tensor."""
# the expected value stands on the left

from collections import OrderedDict
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from suite.measure.held import held_bytes

quantized = pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")  # deprecated, and still what is held
FLOATS = torch.float32.itemsize


class Loose(nn.Module):
    """A module with tensors in every place where one can be."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(10))
        self.register_buffer("kept", torch.ones(20))
        self.register_buffer("forgotten", torch.ones(30), persistent=False)
        self.plain = torch.ones(40)
        self.listed = [torch.ones(50), (torch.ones(60), {"deep": torch.ones(70)})]


def test_tensors_of_a_module_count_wherever_they_are():
    """Parameters, buffers that are saved or not, attributes and containers."""
    assert FLOATS * sum(range(10, 80, 10)) == held_bytes(Loose())


def test_a_module_inside_others_counts_as_well():
    """And once, if two hold it."""
    inner = nn.Linear(10, 10)
    assert FLOATS * 110 == held_bytes(nn.Sequential(nn.ModuleList([inner]), inner), inner)


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(0, 3))
def test_a_storage_counts_once_and_as_a_whole_however_often_it_is_seen(sizes, views):
    """Views, detached copies, slices and aliases hold no bytes of their own."""
    tensors = [torch.zeros(size) for size in sizes]
    seen = [tensors[0].view(-1), tensors[0].detach(), tensors[-1][:1]][:views]
    assert FLOATS * sum(sizes) == held_bytes(tensors, seen, OrderedDict(again=tensors))


def test_a_slice_holds_the_storage_behind_it():
    """Nothing is given back as long as a part is in use."""
    assert FLOATS * 1000 == held_bytes(torch.ones(1000)[:1])


def test_gradients_count():
    """They stay until the next step."""
    layer = nn.Linear(10, 10)
    layer(torch.ones(1, 10)).sum().backward()
    assert FLOATS * 2 * 110 == held_bytes(layer)


def test_an_optimizer_counts_with_its_state_and_not_its_parameters_twice():
    """Momentum is one more copy."""
    layer = nn.Linear(10, 10)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.ones(1, 10)).sum().backward()
    optimizer.step()
    layer.zero_grad()
    assert FLOATS * 2 * 110 == held_bytes(layer, optimizer)


@quantized
def test_quantized_weights_count_by_their_own_width():
    """One byte each; a packed object is opened, and counts the same."""
    weight = torch.quantize_per_tensor(torch.randn(32, 64), 0.1, 0, torch.qint8)
    module = nn.Module()
    module.packed = torch.ops.quantized.linear_prepack(weight, torch.zeros(32))
    assert 32 * 64 == held_bytes(weight)
    assert 32 * 64 + FLOATS * 32 == held_bytes(module)


@quantized
def test_packed_weights_of_a_traced_graph_are_reached_as_its_attributes():
    """Where quantizing passes put them."""
    weight = torch.quantize_per_tensor(torch.randn(8, 3, 3, 3), 0.1, 0, torch.qint8)
    graph = torch.fx.symbolic_trace(nn.Identity())
    graph.packed_0 = torch.ops.quantized.conv2d_prepack(weight, None, [1, 1], [0, 0], [1, 1], 1)
    assert 8 * 27 <= held_bytes(graph) <= 8 * 27 + 100  # and a few numbers for strides


class Doubled(torch.Tensor):
    """A subclass that is made of two inner tensors, as the weights of torchao are."""

    @staticmethod
    def __new__(cls, one, two):
        made = torch.Tensor._make_wrapper_subclass(cls, one.shape)
        made.one, made.two = one, two
        return made

    def __tensor_flatten__(self):
        return ["one", "two"], None

    @staticmethod
    def __tensor_unflatten__(inner, _meta, _size, _stride):
        return Doubled(inner["one"], inner["two"])

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise NotImplementedError(func)


def test_a_subclass_counts_by_what_it_is_made_of():
    """Its own shape and type are pretence."""
    wrapped = Doubled(torch.ones(10, 10, dtype=torch.int8), torch.ones(10))
    assert 100 + FLOATS * 10 == held_bytes({"weight": wrapped})


@pytest.mark.filterwarnings("ignore:Sparse")  # compressed layouts are in beta, and their invariants unchecked
def test_sparse_tensors_count_by_indices_and_values():
    """Two numbers of 8 bytes and one of 4 for each entry; compressed rows take a pointer each."""
    sparse = torch.eye(10).to_sparse()
    assert 10 * (8 + 8 + 4) == held_bytes(sparse.coalesce())
    rows = torch.sparse_csr_tensor(torch.arange(11), torch.arange(10), torch.ones(10), (10, 10))
    assert 11 * 8 + 10 * 8 + 10 * 4 == held_bytes(rows)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build has no oneDNN")
def test_a_librarys_own_format_counts_by_its_numbers():
    """It has no storage to ask."""
    assert FLOATS * 100 == held_bytes(torch.ones(100).to_mkldnn())


def test_what_a_served_function_closes_over_counts():
    """Closures, partials and methods; not what it merely calls by name."""
    layer, scale = nn.Linear(10, 10), torch.ones(5)

    def call(inputs):
        return layer(inputs) * scale

    assert FLOATS * 115 == held_bytes(call)
    assert FLOATS * 115 == held_bytes(partial(call, None), layer.forward)


def test_what_holds_no_memory_counts_nothing():
    """Tensors without data, empty ones, and things that are no tensors."""
    assert 0 == held_bytes(torch.ones(10, device="meta"), torch.empty(0), None, 3, "text", object())


def test_a_circle_ends():
    """Objects that hold each other are visited once."""
    one = {"tensor": torch.ones(3)}
    one["self"] = one
    assert FLOATS * 3 == held_bytes(one)
