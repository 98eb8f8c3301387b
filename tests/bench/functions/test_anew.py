"""Functions that do not compute their answer anew, whatever they keep it in; and honest ones that look like them."""
# the expected value stands on the left

import functools
import itertools

import numpy as np
import pytest
import torch

from suite.bench.functions.anew import FirstAnswers
from suite.core.errors import ImplausibleError, UsageError

X = np.random.default_rng(0).standard_normal(64)


def work():
    return np.sort(X)


def sorts_its_input():
    x = X.copy()

    def call():
        x.sort()
        return float(x[-1])

    return call


def sorts_its_list():
    values = X.tolist()

    def call():
        values.sort()
        return list(values)

    return call


def clips_its_default():
    def call(x=X.copy()):  # noqa: B008
        np.clip(x, -1, 1, out=x)
        return x.sum()

    return call


def keeps_a_copy():
    kept = {}

    def call():
        if not kept:
            kept["y"] = work()
        return kept["y"].copy()

    return call


def keeps_in_an_object():
    class Sorter:
        kept = None

        def sort(self):
            if self.kept is None:
                self.kept = work()
            return self.kept + 0

    return Sorter().sort


def cached_by_functools():
    @functools.lru_cache
    def kept():
        return work()

    return lambda: kept().copy()


def keeps_a_tuple():
    @functools.lru_cache
    def kept():
        return tuple(work().tolist())

    return kept


def keeps_a_dictionary():
    kept = {}

    def call():
        kept.setdefault("largest", float(work()[-1]))
        return kept

    return call


def decorated_by_a_library():
    return torch.no_grad()(keeps_a_copy())


CHEATS = [
    decorated_by_a_library,
    sorts_its_input, sorts_its_list, clips_its_default, keeps_a_copy, keeps_in_an_object, cached_by_functools,
    keeps_a_tuple, keeps_a_dictionary,
]  # fmt: skip


@pytest.mark.parametrize("make", CHEATS)
def test_a_function_that_keeps_its_answer_or_changes_its_input_is_implausible(make):
    """Every call after the first one has less to do."""
    with pytest.raises(ImplausibleError, match="prepare what all calls share before the comparison"):
        FirstAnswers.of({"candidate": make()})


def test_an_answer_that_is_kept_after_some_calls_is_found_when_the_clock_has_stopped():
    """The calls before it are honest."""
    calls, kept = itertools.count(), {}

    def call():
        if next(calls) < 20:
            kept["y"] = work()
        return kept["y"].copy()

    first = FirstAnswers.of({"candidate": call})
    first.check_again()
    for _ in range(20):
        call()
    with pytest.raises(ImplausibleError, match=r"reads what a call before has left in kept\['y'\]"):
        first.check_again()


def test_what_the_baseline_left_is_no_answer_of_the_candidate():
    """Although the candidate copies it."""
    shared = {}

    def baseline():
        shared["y"] = work()
        return shared["y"]

    def candidate():
        return shared["y"].copy()

    with pytest.raises(ImplausibleError, match="the candidate reads what a call before has left in shared"):
        FirstAnswers.of({"baseline": baseline, "candidate": candidate})


def with_a_buffer():
    buffer = np.zeros(64)

    def call():
        buffer[:] = work()
        return buffer

    return call


def with_a_border():
    padded = np.zeros(66)

    def call():
        padded[1:-1] = work()
        return padded.cumsum()

    return call


def with_a_counter():
    calls = [0]

    def call():
        calls[0] += 1
        return work()

    return call


def with_a_constant():
    return lambda: (1.0, 2.0)


def with_tables():
    @functools.cache
    def table():
        return np.arange(64.0)

    table()
    return lambda: work() * table()


def without_a_number():
    return lambda: np.empty(0)


@pytest.mark.parametrize(
    "make", [with_a_buffer, with_a_border, with_a_counter, with_a_constant, with_tables, without_a_number]
)
def test_an_honest_function_is_compared_and_its_data_are_as_they_were(make):
    """Buffers that are filled again, counters, constants, and what was prepared before."""
    call = make()
    before = call()
    copy = np.array(before)
    FirstAnswers.of({"candidate": call}).check_again()
    assert np.array_equal(copy, before)


def test_an_iterator_is_refused_before_it_is_read():
    """Calling the function computes nothing."""
    with pytest.raises(UsageError, match=r"the candidate returns an iterator \(map\)"):
        FirstAnswers.of({"candidate": lambda: map(str, range(9))})
