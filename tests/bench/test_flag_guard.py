"""Torch's global settings do not leak from one side or cell into the next."""
# the expected value stands on the left

import pytest
import tiny
import torch

from suite.bench.flag_guard import check_threads, unchanged_flags
from suite.core.errors import SetupError, TechniqueError
from suite.core.machine import flags

CASE = tiny.case_of(tiny.registry(), "nhwc")


@pytest.fixture(autouse=True)
def untouched():
    before = flags.read()
    yield
    flags.write(before)


def test_settings_that_stay_are_no_matter():
    """The usual case costs a look at a few attributes."""
    with unchanged_flags(CASE):
        torch.zeros(1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: setattr(torch.backends.mkldnn, "enabled", False), "mkldnn_enabled 1 -> 0"),
        (lambda: torch.set_num_threads(2), "threads 1 -> 2"),
        (lambda: torch.set_default_dtype(torch.float64), "default_dtype float32 -> float64"),
        (lambda: torch.use_deterministic_algorithms(mode=True), "deterministic_algorithms off -> error"),
    ],
    ids=["mkldnn", "threads", "dtype", "deterministic"],
)
def test_a_setting_that_is_left_changed_is_an_error_and_is_put_back(change, said):
    """The message names the technique, what it changed and the slot that says it properly."""
    before = flags.read()
    with pytest.raises(TechniqueError) as error, unchanged_flags(CASE):
        change()
    assert f"nhwc changed torch's global settings ({said})" in str(error.value)
    assert "flags={...}" in str(error.value)
    assert before == flags.read()


def test_an_error_of_the_body_is_told_and_not_the_setting_that_it_left():
    """What went wrong first is what matters; the setting is put back all the same."""

    def body():
        torch.backends.mkldnn.enabled = False
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), unchanged_flags(CASE):
        body()
    assert torch.backends.mkldnn.enabled


def test_a_module_that_sets_threads_is_an_error_in_a_quiet_process():
    """Its timings would be marked as of one thread; the sentence says what to take out and what to type."""
    check_threads(torch.get_num_threads())
    torch.set_num_threads(2)
    with pytest.raises(SetupError) as error:
        check_threads(1)
    assert "a loaded module set torch's threads to 2, this quiet process has 1" in str(error.value)
    assert "--threads 2" in str(error.value)


def test_threads_are_anybodys_business_in_any_other_process():
    """Nothing is timed there that counts."""
    torch.set_num_threads(2)
    check_threads(None)
