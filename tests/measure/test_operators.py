"""Operators of a call: how many, what they allocate, and where they come from."""
# the expected value stands on the left

import linecache
import sys
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from suite.measure.counting.operators import AT, is_users, place, work_of

HERE = Path(__file__).name
NUMBERS = count()
MODEL = """
def forward(x, weight):
    x = x @ weight
    # fault
    return x.relu()
"""


def by_name(keys):
    found = {}
    for key, number in keys.items():
        found[key.partition(AT)[0]] = found.get(key.partition(AT)[0], 0) + number
    return found


def network(line="# fault", file="model.py"):
    """A network whose source has one more line."""
    text = MODEL.replace("# fault", line)
    name = f"/users/{next(NUMBERS)}/{file}"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    made = {"torch": torch}
    exec(compile(text, name, "exec"), made)  # noqa: S102  # a user's file
    return lambda: made["forward"](torch.ones(4, 8), torch.ones(8, 8))


def test_operators_are_counted_and_views_apart():
    """A transposed weight is no work."""
    layer, inputs = nn.Linear(8, 4), torch.ones(2, 8)
    with torch.no_grad():
        work = work_of(lambda: layer(inputs).relu())
    assert {"aten.addmm": 1, "aten.relu": 1} == by_name(work.operators)
    assert {"aten.t": 1} == by_name(work.views)


def test_only_new_memory_is_an_allocation():
    """Not a view, and not what is changed in place."""
    x = torch.ones(4, 8)
    work = work_of(lambda: x.t().add_(1).relu().unsqueeze(0))
    assert (1, 4 * 8 * 4) == (work.allocations, work.allocated_bytes)


def test_two_outputs_are_two_allocations():
    """Values and indices."""
    x = torch.ones(4, 8)
    work = work_of(lambda: x.max(1))
    assert (2, 4 * 4 + 4 * 8) == (work.allocations, work.allocated_bytes)


def test_moved_bytes_are_what_operators_read_and_write():
    """Once each; a view moves nothing, and what is overwritten is not read."""
    x, target = torch.ones(4, 8), torch.empty(4, 8)
    tensor = 4 * 8 * 4
    assert 2 * tensor == work_of(x.relu).moved_bytes
    assert 0 == work_of(x.t).moved_bytes
    assert 2 * tensor == work_of(lambda: target.copy_(x)).moved_bytes
    assert 3 * tensor == work_of(lambda: torch.add(x, x.clone(), out=target)).moved_bytes - 2 * tensor


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions:UserWarning")
def test_packed_weights_are_moved_too():
    """Of quantized layers, whose weights are in an object of C++."""
    packed = torch.ops.quantized.linear_prepack(torch.quantize_per_tensor(torch.ones(8, 16), 0.1, 0, torch.qint8), None)
    inputs = torch.quantize_per_tensor(torch.ones(2, 16), 0.1, 0, torch.quint8)
    moved = work_of(lambda: torch.ops.quantized.linear(inputs, packed, 0.1, 0)).moved_bytes
    assert 8 * 16 + 2 * 16 + 2 * 8 == moved


def test_counting_repeats_exactly():
    """Whatever ran before."""
    call = network()
    assert work_of(call).operators == work_of(call).operators


@pytest.mark.parametrize(
    ("fault", "name"),
    [("x = torch.empty_like(x).copy_(x)", "aten.copy_"), ("x = x + 0", "aten.add"), ("x = x.clone()", "aten.clone")],
)
def test_a_planted_operator_is_found_at_its_line(fault, name):
    """One more than before, in the file's fourth line."""
    before, now = work_of(network()), work_of(network(fault))
    came = now.operators - before.operators
    assert 1 == by_name(came)[name]
    (key,) = [key for key in came if key.startswith(name)]
    assert "model.py:4" == now.lines[key]


def test_keys_stay_where_lines_move():
    """A comment above changes no key, and the line is told as it is now."""
    before, now = work_of(network()), work_of(network("# one\n    # more"))
    assert before.operators == now.operators
    assert before.lines.keys() == now.lines.keys()
    assert before.lines != now.lines


def test_an_operator_of_a_backward_pass_has_no_place():
    """No frame of the user's calls it."""
    weight = torch.ones(8, requires_grad=True)
    loss = (weight * 2).sum()
    work = work_of(loss.backward)
    assert by_name(work.operators) == dict(work.operators)
    assert "aten.mul" in work.operators


def test_an_operator_of_this_test_has_its_line():
    """The innermost frame that is neither torch's nor the suite's."""
    work = work_of(lambda: nn.ReLU()(torch.ones(2)))
    assert all(line.rpartition("/")[2].startswith(f"{HERE}:") for line in work.lines.values())
    assert 2 == len(work.lines)


def test_marks_of_the_profiler_are_no_work():
    """Optimizers of torch set them."""

    def marked():
        with torch.profiler.record_function("step"):
            return torch.ones(2)

    assert {"aten.ones": 1} == by_name(work_of(marked).operators)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (torch.__file__, False),
        (linecache.__file__, False),
        ("<frozen importlib>", False),
        (sys.modules["suite.measure.counting.operators"].__file__, False),
        (str(Path(sys.modules["suite"].__file__).parent / "catalog" / "workloads" / "digits_cnn.py"), True),
        (__file__, True),
    ],
)
def test_what_measures_is_not_the_users(file, expected):
    """The catalogue's networks are what is measured."""
    assert expected == is_users(file)


def test_a_place_names_file_function_and_text():
    """Two lines of one function differ by their text."""
    first, second = (place(__file__, line, "test") for line in (1, 2))
    assert first.stable != second.stable
    assert first.stable.startswith(f"{HERE}:test:")
    assert first.line.endswith(f"{HERE}:1")
