"""The byte model: causal, tied, of the stated size; its batches, schedule and clipping; training lowers the score."""
# the expected value stands on the left

import os
import platform
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.catalog.workloads import stdlib_lm
from suite.catalog.workloads.stdlib_lm import BATCH, STEPS, ByteDecoder, clipped_adamw, share_of_peak, some_batches
from suite.catalog.workloads.stdlib_text import WINDOW, as_split, windows
from suite.registry import REGISTRY
from suite.training.data import Split, Splits
from suite.training.loop import Goal, fit, score
from suite.training.recipe import scaled

EXAMPLES = settings(max_examples=500 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 10)
TEXT = b"def f(x):\n    return x + 1\n\n" * 400


def text_split():
    return as_split(windows([TEXT]))


@pytest.mark.parametrize(("width", "depth", "parameters"), [(1.0, 2, 124_672), (1.0, 1, 74_688), (0.25, 1, 9_456)])
def test_the_network_has_the_parameters_of_its_width(width, depth, parameters):
    """The embedding counts once, though the output layer reads it too."""
    network = ByteDecoder(width, depth)
    assert parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (3, WINDOW, 256) == tuple(network(torch.zeros(3, WINDOW, dtype=torch.long)).shape)


@EXAMPLES
@given(place=st.integers(1, WINDOW - 1), byte=st.integers(0, 255), seed=st.integers(0, 99))
@torch.no_grad()
def test_a_later_byte_changes_no_earlier_score(place, byte, seed):
    """Nothing of the future is seen: otherwise bits per byte would mean nothing."""
    torch.manual_seed(seed)
    network, tokens = ByteDecoder(0.25).eval(), torch.randint(256, (2, WINDOW))
    changed = tokens.clone()
    changed[0, place] = (changed[0, place] + 1 + byte % 255) % 256
    before, after = network(tokens), network(changed)
    torch.testing.assert_close(before[:, :place], after[:, :place], rtol=0, atol=1e-6)
    torch.testing.assert_close(before[1], after[1], rtol=0, atol=1e-6)
    assert not torch.allclose(before[0, place], after[0, place], atol=1e-6)


def test_an_epoch_is_bounded_and_has_the_steps_that_the_recipe_says():
    """Full batches of windows, none twice; fewer where there are fewer windows."""
    recipe = stdlib_lm.stdlib_lm(0)
    for items in (BATCH - 1, 3 * BATCH + 5, STEPS * BATCH + 40):
        train = Split(inputs=torch.arange(items)[:, None], targets=torch.arange(items)[:, None])
        found = list(some_batches(train, torch.Generator().manual_seed(0)))
        seen = [item for batch in found for item in batch.inputs.flatten().tolist()]
        assert recipe.steps_per_epoch(items) == len(found) == min(STEPS, items // BATCH)
        assert len(found) * BATCH == len(seen) == len(set(seen))


@EXAMPLES
@given(st.integers(1, 5000))
def test_the_learning_rate_rises_to_its_peak_and_falls_to_nearly_nothing(steps):
    """Between 0 and 1, at most one step is the peak by warm-up's end, and the last ones are small."""
    shares = [share_of_peak(step, steps) for step in range(steps + 1)]
    top = max(range(steps + 1), key=shares.__getitem__)
    assert 1.0 == pytest.approx(max(shares))
    assert sorted(shares[: top + 1]) == shares[: top + 1]
    assert sorted(shares[top:], reverse=True) == shares[top:]
    assert 0 <= min(shares)
    assert pytest.approx(0, abs=1e-9) == shares[-1] or steps == 1


def test_gradients_are_clipped_to_a_common_norm_of_one():
    """Large ones shrink to it before the step, small ones stay."""
    weights = torch.nn.Parameter(torch.zeros(4))
    for size, expected in ((100.0, 1.0), (0.1, 0.2)):
        weights.grad = torch.full((4,), size)
        clipped_adamw([weights], 1e-3).step()
        assert pytest.approx(expected, rel=1e-4) == float(weights.grad.norm())


def test_the_workload_is_scored_in_bits_per_byte_and_left_out_of_the_quick_profile():
    """A seed trains for half a minute; the digest names Python, whose sources the data are."""
    found = REGISTRY.find_workload("stdlib_lm")
    assert ["bits_per_byte"] == [score.name for score in found.scores]
    assert ("train", False, stdlib_lm.digest) == (found.source, found.quick, found.digest)


def test_the_digest_names_this_python(monkeypatch):
    """Other versions have other sources: their quality is no regression."""
    monkeypatch.setattr(stdlib_lm, "parts", lambda: {"train": windows([TEXT])})
    name, _, rest = stdlib_lm.digest().partition(":")
    assert name.endswith(f"-{platform.python_version()}")
    assert 16 == len(rest)


def test_a_few_steps_learn_something_of_the_text(monkeypatch):
    """From 8 bits to below the 4.2 that the frequencies of this text's bytes need."""
    part = text_split()
    monkeypatch.setattr(stdlib_lm, "splits", lambda: Splits(train=part, validation=part, test=part))
    recipe = replace(stdlib_lm.stdlib_lm(0), model=scaled(ByteDecoder, 0.25))
    found = REGISTRY.find_workload("stdlib_lm").primary
    goal = Goal(value=0.0, better="lower", score=lambda outputs, targets: bits_per_byte(found, outputs, targets))
    trained = fit(recipe, seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)
    assert 4.2 > score(trained.network, part, recipe, goal)


def bits_per_byte(found, outputs, targets):
    totals, weights = found.per_item(outputs, targets)
    return float(totals.sum() / weights.sum())


def test_half_of_the_channels_come_from_the_byte_before():
    """The first byte has none before it: zeros."""
    found = stdlib_lm.shifted(torch.arange(12.0).reshape(1, 3, 4) + 1)
    assert [[[1, 2, 0, 0], [5, 6, 3, 4], [9, 10, 7, 8]]] == found.tolist()
