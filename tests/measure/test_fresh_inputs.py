"""A cache is faster on inputs that come again; an honest network is as fast on those that never came."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.measure.integrity import fresh_inputs as module
from suite.measure.integrity.fresh_inputs import (
    COME_AGAIN,
    FRESH,
    ONE,
    SAME,
    SEEN,
    CacheVerdict,
    FreshInputs,
    fresh_inputs,
)
from suite.measure.sampler.samples import Ratio


def found(low, high, suspect=None):
    ratio = Ratio(value=1.0, low=low, high=high, n=50, confidence=0.99)
    return FreshInputs(ratio=ratio, suspect=suspect).verdict


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.99, 1.02, CacheVerdict.ALIKE),
        (1.0, 1.03, CacheVerdict.ALIKE),
        (1.0, 1.04, CacheVerdict.OPEN),
        (0.96, 1.0, CacheVerdict.OPEN),
        (1.031, 1.2, CacheVerdict.APART),
        (0.8, 0.97, CacheVerdict.APART),
        (None, None, CacheVerdict.OPEN),
    ],
)
def test_the_whole_interval_decides(low, high, expected):
    """Within 3 % it is alike, beyond it apart."""
    assert expected is found(low, high)


def test_a_disturbed_sample_decides_nothing():
    """Its times cannot be trusted."""
    assert CacheVerdict.OPEN is found(1.0, 1.0, "the core was taken")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.0, 1.9, CacheVerdict.ALIKE),
        (1.9, 2.1, CacheVerdict.OPEN),
        (None, None, CacheVerdict.OPEN),
        (2.1, 9.0, CacheVerdict.APART),
    ],
)
def test_copies_of_a_batch_may_cost_as_much_as_memory_does(low, high, expected):
    """More than twice the time on one tensor is a cache that knows tensors."""
    ratio = Ratio(value=1.0, low=1.0, high=1.0, n=50, confidence=0.99)
    copied = Ratio(value=1.0, low=low, high=high, n=50, confidence=0.99)
    assert expected is FreshInputs(ratio=ratio, copied=copied).verdict


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.02, 1.12, CacheVerdict.ALIKE),
        (1.12, 1.26, CacheVerdict.OPEN),
        (None, None, CacheVerdict.OPEN),
        (1.26, 1.3, CacheVerdict.APART),
    ],
)
def test_one_batch_again_and_again_may_be_as_much_faster_as_a_branch_predictor_makes_it(low, high, expected):
    """More than a quarter is a cache of the latest batches."""
    ratio = Ratio(value=1.0, low=1.0, high=1.0, n=50, confidence=0.99)
    learnt = Ratio(value=1.0, low=low, high=high, n=50, confidence=0.99)
    assert expected is FreshInputs(ratio=ratio, learnt=learnt).verdict


class Recorded:
    """Stands for the sampler: plays some turns of each arm, and remembers what was served."""

    def __init__(self, turns):
        self.turns, self.seen, self.options = turns, {}, None

    def __call__(self, calls, options, *, hooks):
        self.options = options
        for arm, call in calls.items():
            call.served = replace(call.served, call=self.seen.setdefault(arm, []).append)
        for count in self.turns:
            for arm, call in calls.items():
                hooks.reset[arm]()
                for _ in range(count):
                    call()
        return self

    suspect = None

    def ratio(self, numerator, denominator):
        assert (numerator, denominator) in {(FRESH, "baseline"), (FRESH, ONE), ("baseline", SAME)}
        return Ratio(value=1.0, low=1.0, high=1.0, n=9, confidence=0.99)


@pytest.fixture
def play(monkeypatch):
    def of(*turns, trained=None, batch=4):
        recorded = Recorded(turns)
        monkeypatch.setattr(module, "sample", recorded)
        assert CacheVerdict.ALIKE is fresh_inputs(trained or tiny.fitted(), batch=batch, seconds=0.1).verdict
        return recorded

    return of


def test_one_arm_serves_batches_that_never_came_before(play):
    """Two serve copies of some in turn, one copies of one batch, and one the same tensor each time."""
    seen = play(3, 5, 5, 8, 8).seen
    rows = [row for batch in seen[FRESH] for row in batch.flatten(1).tolist()]
    assert 29 == len(seen[FRESH])
    assert 29 * 4 == len({tuple(row) for row in rows})
    assert {(4, 1, 8, 8)} == {tuple(batch.shape) for batch in seen[FRESH]}
    assert {seen[SAME][0].data_ptr()} == {batch.data_ptr() for batch in seen[SAME]}
    assert 13 == len({batch.data_ptr() for batch in seen[ONE][:13]})
    assert all(torch.equal(seen[SAME][0], batch) for batch in seen[ONE])
    for arm in ("baseline", "null"):
        assert 13 == len({batch.data_ptr() for batch in seen[arm][:13]})
        assert SEEN == len({tuple(batch.flatten().tolist()) for batch in seen[arm]})


def test_fresh_batches_are_test_items_with_little_noise(play):
    """So that what depends on values takes as long."""
    trained = tiny.fitted()
    items = trained.recipe.data().test.inputs.flatten(1)
    for batch in play(2, trained=trained).seen[FRESH]:
        distance = torch.cdist(batch.flatten(1), items).min(dim=1).values
        assert float(distance.max()) < 0.01


def test_a_turn_of_more_calls_than_the_last_begins_again(play):
    """The number that was made follows: the next turn has as many."""
    seen = play(8, 20, 20).seen[FRESH]
    pointers = [batch.sum().item() for batch in seen]
    assert (8, 8, 20) == tuple(len(set(part)) for part in (pointers[:8], pointers[8:28], pointers[28:]))


def test_tokens_come_from_other_items_and_padding_stays():
    """Each at its own place, so that it is a token that can stand there; a mask is as before."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.arange(28, 40)[:, None]
    mask = (torch.arange(40) < lengths).long()
    tokens = (1 + torch.arange(40) + 100 * torch.arange(12)[:, None]) * mask
    mixed, masks = module._mixed((tokens, mask), 200, generator)
    assert 200 == len({tuple(row) for row in mixed.tolist()})
    assert {tuple(row) for row in mask.tolist()} == {tuple(row) for row in masks.tolist()}
    assert torch.equal(mixed != 0, masks == 1)
    for place in range(40):
        assert set(mixed[:, place].tolist()) <= set(tokens[:, place].tolist())
    known = {tuple(row) for row in tokens.tolist()}
    assert not known & {tuple(row) for row in mixed.tolist()}


def test_items_that_cannot_be_made_new_leave_it_open(monkeypatch):
    """Labels alone; the reason is told. Rows of tokens can."""
    monkeypatch.setattr(module, "sample", Recorded([1]))
    plain = tiny.splits(0)
    labels = replace(plain.test, inputs=plain.test.targets)
    trained = tiny.fitted()
    monkeypatch.setattr(module, "_calls", lambda *_: {})
    data = replace(plain, test=labels)
    found = fresh_inputs(replace(trained, recipe=replace(trained.recipe, data=lambda: data)), batch=1, seconds=0.1)
    assert (CacheVerdict.OPEN, COME_AGAIN) == (found.verdict, found.suspect)
    tokens = torch.randint(100, (16, 30), generator=torch.Generator().manual_seed(0))
    data = replace(plain, test=replace(plain.test, inputs=tokens))
    found = fresh_inputs(replace(trained, recipe=replace(trained.recipe, data=lambda: data)), batch=1, seconds=0.1)
    assert (CacheVerdict.ALIKE, None) == (found.verdict, found.suspect)


def test_the_threads_settings_are_as_before(play):
    """The network's own hold while it is timed."""
    before = module.flags.read()
    trained = tiny.fitted()
    play(1, trained=replace(trained, recipe=replace(trained.recipe, flags={"float32_matmul_precision": "high"})))
    assert before == module.flags.read()
