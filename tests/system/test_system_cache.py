"""The caching audit on real networks and a real clock: a planted cache is found, an honest network is not accused.

A disturbed machine makes a verdict open, not wrong: the ratios are looked at themselves.
"""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny

from suite.measure.integrity.fresh_inputs import MOST_APART, fresh_inputs

pytestmark = pytest.mark.system


def by_content(network):
    """Keep the answer to each batch."""
    kept = {}

    def call(inputs):
        key = hash(inputs.numpy().tobytes())
        if key not in kept:
            kept[key] = network(inputs)
        return kept[key]

    return call


def by_tensor(network):
    """Keep the last answer as long as the same tensor comes."""
    kept = {}

    def call(inputs):
        if kept.get("of") is not inputs:
            kept.update(of=inputs, answer=network(inputs))
        return kept["answer"]

    return call


def timed(deploy=None, batch=16):
    trained = tiny.fitted()
    if deploy is not None:
        trained = replace(trained, recipe=replace(trained.recipe, deploy=deploy))
    return fresh_inputs(trained, batch=batch, seconds=1.0)


@pytest.mark.parametrize("cache", [by_content, by_tensor])
def test_a_planted_cache_is_found(cache):
    """Fresh inputs take several times as long."""
    found = timed(cache)
    assert found.ratio.low is not None
    assert found.ratio.low > 1.5
    assert found.suspect or found.verdict == "apart"


@pytest.mark.parametrize("batch", [1, 16])
def test_an_honest_network_is_as_fast_on_fresh_inputs(batch):
    """Its interval reaches into the margin."""
    found = timed(batch=batch)
    assert found.ratio.low is None or found.ratio.low <= 1 + MOST_APART
    assert found.ratio.high is None or found.ratio.high >= 1 / (1 + MOST_APART)
    assert found.verdict != "apart"
