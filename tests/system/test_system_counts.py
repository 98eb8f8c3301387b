"""Planted faults of compiled networks, which TorchInductor really compiles."""
# the expected value stands on the left

import inspect
import os
import platform
import subprocess
import sys

import pytest
import torch
from torch import nn

from suite.core.fingerprints import differences
from suite.core.machine.needs import missing_need
from suite.measure.counting.calls import served_counts
from suite.measure.counting.compiler import watched
from suite.measure.counting.instructions import VARIABLES
from suite.measure.counting.operators import place, work_of

pytestmark = pytest.mark.system
FILE = "test_system_counts.py"


class Fused(nn.Module):
    """One kernel."""

    def forward(self, x):
        x = x.relu() * 2
        return x.tanh() + 1


class Sorted(Fused):
    """What TorchInductor does not generate stands between two kernels."""

    def forward(self, x):
        x = x.relu() * 2
        x = x.sort(1).values
        return x.tanh() + 1


class Broken(Fused):
    """Two graphs."""

    def forward(self, x):
        x = x.relu() * 2
        torch._dynamo.graph_break()
        return x.tanh() + 1


class Counting(Fused):
    """Compiled again at each call."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls


def counted(kind):
    """All counts of a compiled network."""
    inputs = torch.ones(8, 8)

    def first():
        made = torch.compile(kind(), dynamic=False)
        made(inputs)
        return made

    with torch.no_grad():
        made, compiled = watched(first, lambda made: [made(inputs) for _ in range(3)], place)
        return served_counts(lambda: made(inputs), compiled, work_of)


@pytest.fixture(scope="module")
def before():
    if reason := missing_need("compiler", "cpu"):
        pytest.skip(reason)
    return counted(Fused)


def line_of(kind, text):
    lines, start = inspect.getsourcelines(kind)
    return next(start + number for number, line in enumerate(lines) if text in line)


def changes(name, kind, before):
    """The difference in number, and what is said of it."""
    now = counted(kind)
    said = differences(now[name].fingerprint, before[name].fingerprint, now[name].lines)
    return now[name].value - before[name].value, "; ".join(said)


def test_a_fused_network_is_one_graph_and_one_kernel(before):
    """Its four operators need no other."""
    figures = {name: one.value for name, one in before.items()}
    assert {
        "operators": 0, "view_operators": 0, "graphs": 1, "graph_breaks": 0, "recompilations": 0,
        "generated_kernels": 1, "fused_operators": 3,
    } == figures  # fmt: skip


def test_an_unfused_kernel_is_named_with_the_lines_of_its_operators(before):
    """Two kernels stand where one did."""
    change, said = changes("generated_kernels", Sorted, before)
    assert 1 == change
    assert f"{FILE}:{line_of(Sorted, 'tanh')}" in said


def test_generated_code_is_held_to_what_valgrind_knows():
    """Vectors of AVX2, and no instruction of the processor at hand, in an environment that counts."""
    if platform.machine() != "x86_64" or missing_need("compiler", "cpu"):
        pytest.skip("only x86 has these instruction sets")
    program = (
        "from torch._inductor.cpu_vec_isa import pick_vec_isa; from torch._inductor import config; "
        "print(pick_vec_isa(), getattr(config.cpp, 'march', 'x86-64-v3'))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **VARIABLES}, capture_output=True, text=True, check=True
    ).stdout
    assert "avx2 x86-64-v3" == said.strip()


def test_a_graph_break_is_named_with_its_line(before):
    """And the reason of the compiler."""
    change, said = changes("graph_breaks", Broken, before)
    assert 1 == change
    assert f"+1 graph break, at tests/system/{FILE}:{line_of(Broken, 'graph_break')} (" in said


def test_a_recompilation_is_named_with_its_line(before):
    """Three calls, three compilations."""
    change, said = changes("recompilations", Counting, before)
    assert 3 == change
    assert f"{FILE}:{line_of(Counting, 'self.calls += 1')} (" in said
