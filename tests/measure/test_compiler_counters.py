"""What the compiler's own counters say of a network: graphs, breaks, recompilations, kernels."""
# the expected value stands on the left

import inspect
import sys
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from suite.measure.counting import compiler
from suite.measure.counting.compiler import watched
from suite.measure.counting.operators import place

SITE = "test_compiler_counters.py"


class Plain(nn.Module):
    """One graph."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(4, 4), 0

    def forward(self, x):
        return self.layer(x).relu()


class Broken(Plain):
    """Two graphs."""

    def forward(self, x):
        x = self.layer(x)
        torch._dynamo.graph_break()
        return x.relu()


class Counting(Plain):
    """A number of Python's that changes is a guard that fails."""

    def forward(self, x):
        self.calls += 1
        return self.layer(x) * self.calls


def compiled(network):
    """What was compiled in a first call, and in the three that follow; TorchInductor takes no part."""
    inputs = torch.ones(2, 4)

    def first():
        made = torch.compile(network, backend="eager", dynamic=False)
        made(inputs)
        return made

    with torch.no_grad():
        return watched(first, lambda made: [made(inputs) for _ in range(3)], place)[1]


def line_of(kind, text):
    """The line of a class of this file that holds a text."""
    lines, start = inspect.getsourcelines(kind)
    return next(start + number for number, line in enumerate(lines) if text in line)


def test_a_plain_network_is_one_graph():
    """Nothing breaks it, and no later call compiles again."""
    found = compiled(Plain())
    assert (1, 0, 0, 0) == (found.graphs, found.breaks.total(), found.recompilations, found.kernels)
    assert 2 == found.captured == found.fused


def test_a_graph_break_is_found_at_its_line():
    """With the compiler's reason."""
    found = compiled(Broken())
    assert (2, 1) == (found.graphs, found.breaks.total())
    (key,) = found.breaks
    (line,) = found.lines.values()
    assert key.startswith(f"graph break @ {SITE}:forward:")
    assert f"{SITE}:{line_of(Broken, 'graph_break()')} (Call to `torch._dynamo.graph_break()`)" in line


def test_a_recompilation_of_each_call_is_found_at_its_line():
    """With the guard that failed."""
    found = compiled(Counting())
    assert (1, 3) == (found.graphs, found.recompilations) == (found.graphs, found.recompiled.total())
    (line,) = found.lines.values()
    assert f"{SITE}:{line_of(Counting, 'self.calls += 1')} (" in line
    assert "no longer holds" in line


def test_what_was_compiled_before_is_compiled_again():
    """Else a network that was served before would seem to need no graph."""
    network = Plain()
    assert compiled(network).graphs == compiled(network).graphs == 1


def test_an_eager_network_has_no_figures():
    """Nothing was compiled."""
    made, found = watched(lambda: 7, lambda _: None, place)
    assert (7, None) == (made, found)


@pytest.fixture
def inductor(monkeypatch):
    """Counters of a compiler that is made up; returns what compiles a module of kernels."""
    counters = defaultdict(Counter)
    code = SimpleNamespace(PyCodeCache=SimpleNamespace(modules=[]))
    metrics = SimpleNamespace(generated_kernel_count=0)
    dynamo = SimpleNamespace(counters=counters, graph_break_reasons=[], guard_failures={})
    reset = SimpleNamespace(reset=lambda: None)
    for name, made in (("torch._dynamo", reset), (compiler.DYNAMO, dynamo), (compiler.INDUCTOR, metrics),
                       (compiler.CODE, code)):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, made)

    def compile_(*kernels, extern=1, captured=6):
        counters["stats"]["unique_graphs"] += 1
        counters["stats"]["calls_captured"] += captured
        counters["inductor"]["extern_calls"] += extern
        metrics.generated_kernel_count += len(kernels)
        code.PyCodeCache.modules.append(SimpleNamespace(**dict.fromkeys((*kernels, "extern_kernels", "call"))))

    return compile_


def test_generated_kernels_are_named_by_their_operators(inductor):
    """Their numbers are no part of the name: a kernel more would rename all that follow."""
    kernels = ("cpp_fused_mul_relu_0", "cpp_fused__softmax_3", "triton_poi_fused_add_native_layer_norm_12")
    _, found = watched(lambda: inductor(*kernels), lambda _: None, place)
    assert {"cpp_fused_mul_relu", "cpp_fused__softmax", "triton_poi_fused_add_native_layer_norm"} == set(
        found.kernel_names
    )
    assert (3, 1, 2) == (found.kernels, found.extern, found.fused)


def test_an_unfused_kernel_is_one_kernel_more_and_one_fused_operator_less(inductor):
    """The same operators in two loops instead of one."""
    _, one = watched(lambda: inductor("cpp_fused_mul_relu_0"), lambda _: None, place)
    _, two = watched(lambda: inductor("cpp_fused_mul_0", "cpp_fused_relu_1"), lambda _: None, place)
    assert (1, -1) == (two.kernels - one.kernels, two.fused - one.fused)


def test_kernels_of_earlier_networks_do_not_count(inductor):
    """The counters go on."""
    inductor("cpp_fused_add_0")
    _, found = watched(lambda: inductor("cpp_fused_mul_0"), lambda _: None, place)
    assert ({"cpp_fused_mul": 1}, 1) == (dict(found.kernel_names), found.kernels)
