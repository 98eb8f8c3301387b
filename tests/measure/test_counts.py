"""Counts of a cell, as measurements."""
# the expected value stands on the left

from collections import Counter
from dataclasses import replace

import pytest
import tiny
import torch

from suite.gate import propose
from suite.measure import counts as module
from suite.measure.counting import calls, instructions
from suite.measure.counting.compiler import Compiled
from suite.measure.counting.operators import CallWork
from suite.measure.counts import instructions_of, served_counts, training_counts, version
from suite.training.runtime import Predictor
from suite.training.serving import serve

INPUTS = tiny.splits(0).test.inputs
EAGER = {"operators", "view_operators", "allocations", "allocated_bytes"}


@pytest.fixture(scope="module")
def fitted():
    return tiny.fitted()


def served(fitted, **details):
    return {one.metric: one for one in served_counts(tiny.BASELINE_CELL, serve(fitted), INPUTS, **details)}


def test_an_eager_network_has_four_counts(fitted):
    """Under the version of torch and at its batch; both bounds are the value."""
    found = served(fitted)
    assert found.keys() == EAGER
    assert all({"torch": version(), "batch": 16} == one.conditions for one in found.values())
    assert all((one.value, one.value) == propose(one) for one in found.values())
    assert found["operators"].value == sum(found["operators"].fingerprint.values())
    assert found["operators"].fingerprint.keys() == found["operators"].lines.keys()


def test_counts_repeat_in_another_copy_of_the_network(fitted):
    """They are counted anew."""
    assert served(fitted) == served(fitted)


def test_a_training_step_is_counted_with_the_optimizers_operators(fitted):
    """After the step that makes its state."""
    (found,) = training_counts(tiny.BASELINE_CELL, fitted.recipe, reference=tiny.no_reference)
    assert "training_operators" == found.metric
    assert 2 == found.fingerprint["aten.convolution_backward"]
    assert (None, tiny.BATCH) == (found.suspect, found.conditions["batch"])


class Unsteady(tiny.Net):
    """Each call has one addition more than the last one."""

    calls = 0

    def forward(self, x):
        Unsteady.calls += 1
        for _ in range(Unsteady.calls):
            x = x + 0
        return super().forward(x)


def test_a_count_that_does_not_repeat_is_suspect():
    """The reason says both numbers."""
    found = served(tiny.fitted(model=Unsteady, epochs=1))
    assert found["operators"].suspect.startswith("the count does not repeat: ")
    assert found["allocated_bytes"].suspect is not None


def test_what_cannot_be_counted_is_told_and_costs_no_more(fitted, monkeypatch):
    """A network may refuse the mode that counts."""

    def refuses(*_, **__):
        raise RuntimeError("no mode here")

    monkeypatch.setattr(module, "work_of", refuses)
    with pytest.warns(UserWarning, match=r"its work cannot be counted: RuntimeError: no mode here"):
        assert {} == served(fitted)


def test_counts_that_follow_weights_are_not_exact(fitted):
    """Another machine trains other ranks."""
    found = served(fitted, follow=("parameters",))["operators"]
    low, high = propose(found)
    assert "portable" == found.tier
    assert low < found.value < high


def test_a_predictor_of_another_engine_is_not_counted(fitted):
    """Torch does not see its work."""
    made = serve(fitted)
    engine = replace(made, predictor=Predictor(call=made.call))
    assert [] == served_counts(tiny.BASELINE_CELL, engine, INPUTS)


def work(**lines):
    """Work of eager code whose operators have lines."""
    return CallWork(lines={f"aten.{name} @ m.py:f:{number}": at for number, (name, at) in enumerate(lines.items())})


COMPILED = Compiled(
    graphs=1, breaks=Counter(), recompilations=0, recompiled=Counter(), captured=6, kernels=2, extern=1,
    kernel_names=Counter({"cpp_fused_mul_relu": 1, "cpp_fused__softmax": 1}), lines={},
)  # fmt: skip


def test_kernels_are_told_with_the_lines_of_their_operators():
    """Which the code that was compiled has."""
    lines = {"mul": "m.py:3", "relu": "m.py:4", "_softmax": "m.py:9", "add": "m.py:2"}
    found = calls.served_counts(lambda: None, COMPILED, lambda _, eagerly=False: work(**lines) if eagerly else work())
    assert {"cpp_fused_mul_relu": "m.py:3 or m.py:4", "cpp_fused__softmax": "m.py:9"} == found[
        "generated_kernels"
    ].lines
    assert (1, 0, 0, 2, 3) == tuple(
        found[name].value
        for name in ("graphs", "graph_breaks", "recompilations", "generated_kernels", "fused_operators")
    )


def test_operators_that_compiled_code_dispatches_are_told_with_the_lines_that_they_may_be_of():
    """One that stands on more than three is told by name alone."""
    lines = {"aten.sort @ a": "m.py:3", "aten.mm @ b": "m.py:4"}
    lines |= {f"aten.add @ {number}": f"m.py:{number}" for number in range(4)}
    dispatched = CallWork(operators=Counter({"aten.sort": 1, "aten.add": 1}))
    found = calls.served_counts(
        lambda: None, COMPILED, lambda _, eagerly=False: CallWork(lines=lines) if eagerly else dispatched
    )
    assert {"aten.sort": "m.py:3"} == found["operators"].lines


def test_what_fuses_nothing_has_no_fused_operators():
    """No bound below zero could be crossed; the kernels tell."""
    packed = replace(COMPILED, captured=2)
    found = calls.served_counts(lambda: None, packed, lambda *_, **__: work())
    assert "generated_kernels" in found
    assert "fused_operators" not in found


def test_compiled_code_has_no_allocations():
    """It makes its own memory, and no operator tells."""
    found = calls.served_counts(lambda: None, COMPILED, lambda *_, **__: work())
    assert not EAGER & {"allocations", "allocated_bytes"} & found.keys()


def test_instructions_hold_under_the_cap_and_valgrinds_version(monkeypatch):
    """So that a hosted runner with another valgrind finds them stale, and no regression."""
    monkeypatch.setattr(instructions, "version", lambda: "3.19.0")
    monkeypatch.setattr(instructions, "_annotated", lambda _: "1,000,000  a.c:f [lib]\n")
    dumps = {"instructions": ["1", "2"], "instructions_b1": ["3"], "training_instructions": ["4"]}
    found = {one.metric: one for one in instructions_of(tiny.BASELINE_CELL, dumps, 64)}
    assert [1_000_000] * 3 == [one.value for one in found.values()]
    assert {"portable"} == {one.tier for one in found.values()}
    assert [64, 1, None] == [one.conditions.get("batch") for one in found.values()]
    assert ("3.19.0", "avx2 avx sse4_2") == tuple(
        found["instructions"].conditions[name] for name in ("valgrind", "isa")
    )
    assert 500 == found["instructions"].margin


def test_versions_are_told_without_their_last_part():
    """A patch release changes no operator."""
    assert str(torch.__version__).startswith(version() + ".")
    assert 1 == version().count(".")
