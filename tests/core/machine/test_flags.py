"""torch's global settings: read, compared, set and brought back, on any build of torch."""
# the expected value stands on the left

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from suite.core.errors import UsageError
from suite.core.machine import flags

OTHER = {
    "threads": 3,
    "default_dtype": "float64",
    "float32_matmul_precision": "high",
    "cuda_matmul_allow_tf32": 1,
    "cudnn_allow_tf32": 0,
    "cudnn_benchmark": 1,
    "cudnn_deterministic": 1,
    "cudnn_enabled": 0,
    "mkldnn_enabled": 0,
    "deterministic_algorithms": "warn",
}


@pytest.fixture(autouse=True)
def before():
    """Whatever a test leaves behind is undone."""
    found = flags.read()
    yield found
    torch.set_float32_matmul_precision(found["float32_matmul_precision"])
    flags.write(found)


def values(flag):
    return st.sampled_from(flag.values) if flag.values else st.integers(1, 4)


def test_every_flag_is_read_as_what_torch_says(before):
    """Numbers and names, in the order of the table."""
    assert list(flags.FLAGS) == list(before)
    assert torch.get_num_threads() == before["threads"]
    assert ("float32", "highest", 0) == tuple(
        before[n] for n in ("default_dtype", "float32_matmul_precision", "cuda_matmul_allow_tf32")
    )
    assert all(isinstance(value, int | str) and not isinstance(value, bool) for value in before.values())


@pytest.mark.parametrize("name", OTHER)
def test_a_flag_is_set_for_a_while_and_comes_back(before, name):
    """Torch itself sees it: the reading is torch's."""
    assert OTHER[name] != before[name]
    with flags.applied({name: OTHER[name]}):
        assert OTHER[name] == flags.read()[name]
    assert before == flags.read()


def is_consistent(wanted):
    """Whether the two names of the precision of products, where both are given, say the same."""
    pair = wanted.get("float32_matmul_precision"), wanted.get("cuda_matmul_allow_tf32")
    return None in pair or (pair[0] != "highest") == pair[1]


COMBINATIONS = st.fixed_dictionaries({}, optional={name: values(flag) for name, flag in flags.FLAGS.items()})


@example(first={"float32_matmul_precision": "medium"}, wanted={"cuda_matmul_allow_tf32": 0})
@given(first=COMBINATIONS.filter(is_consistent), wanted=COMBINATIONS.filter(is_consistent))
def test_any_combination_is_set_and_brought_back_to_any_other(first, wanted):
    """Whatever is set outside stays what it was, the precision of products by all its names."""
    with flags.applied(first):
        start = flags.read()
        with flags.applied(wanted):
            now = flags.read()
            assert wanted == {name: now[name] for name in wanted}
        assert start == flags.read()


def test_flags_come_back_after_an_error(before):
    """A technique that fails does not leave its settings behind."""
    with pytest.raises(ZeroDivisionError), flags.applied(OTHER):
        raise ZeroDivisionError
    assert before == flags.read()


def test_determinism_has_three_states():
    """Off, a warning, an error."""
    for state in ("warn", "error", "off"):
        flags.write({"deterministic_algorithms": state})
        assert state == flags.read()["deterministic_algorithms"]


def test_a_change_is_told_with_both_values(before):
    """What a user's module did to the process."""
    torch.backends.mkldnn.enabled = False
    torch.set_num_threads(before["threads"] + 1)
    told = f"threads {before['threads']} -> {before['threads'] + 1}, mkldnn_enabled 1 -> 0"
    assert told == flags.changed(before, flags.read())
    assert flags.changed(before, before) is None


def test_flags_that_one_side_does_not_have_are_told_too():
    """A record of an earlier version has fewer."""
    assert "new unset -> 1" == flags.changed({}, {"new": 1})


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"cudnn_benchmrk": 1}, "unknown flag 'cudnn_benchmrk'; did you mean cudnn_benchmark"),
        ({"threads": 0}, "threads cannot be 0; allowed: a whole number of at least 1"),
        ({"threads": "2"}, "threads cannot be '2'"),
        ({"float32_matmul_precision": "tf32"}, "cannot be 'tf32'; allowed: highest, high, medium"),
        (
            {"float32_matmul_precision": "high", "cuda_matmul_allow_tf32": 0},
            "float32_matmul_precision='high' contradicts cuda_matmul_allow_tf32=0",
        ),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is(before, wanted, problem):
    """With the nearest name, or the values that are allowed."""
    with pytest.raises(UsageError, match=problem):
        flags.write({"mkldnn_enabled": 0, **wanted})
    assert before == flags.read()


def test_a_precision_that_is_set_through_both_interfaces_is_named_and_not_touched():
    """Torch refuses to say what it is, so it could not be brought back."""
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    assert flags.MIXED == flags.read()["float32_matmul_precision"]
    with pytest.raises(UsageError, match="both of torch's interfaces"), flags.applied({"cuda_matmul_allow_tf32": 1}):
        pass
    with flags.applied({"mkldnn_enabled": 0}):
        assert 0 == flags.read()["mkldnn_enabled"]
