"""The caching audit on real networks and a real clock: a planted cache is found, an honest network is not accused.

A disturbed machine makes a verdict open, not wrong.
"""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny

from suite.measure.integrity.fresh_inputs import fresh_inputs

pytestmark = [pytest.mark.system, pytest.mark.timed]
WIDTHS = {1: 24, 16: 6}  # by batch, those of a network that takes about a millisecond


def by_content(network):
    """Keep the answer to each batch."""
    kept = {}

    def call(inputs):
        key = hash(inputs.numpy().tobytes())
        if key not in kept:
            kept[key] = network(inputs)
        return kept[key]

    return call


def by_latest_content(network):
    """Keep the answer to the latest batch alone."""
    kept = {}

    def call(inputs):
        key = hash(inputs.numpy().tobytes())
        if key not in kept:
            kept.clear()
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


def served(deploy=None, batch=16):
    trained = tiny.fitted(model=lambda: tiny.Net(width=WIDTHS[batch]))
    if deploy is not None:
        trained = replace(trained, recipe=replace(trained.recipe, deploy=deploy))
    return fresh_inputs(trained, batch=batch, seconds=1.0)


@pytest.mark.parametrize("cache", [by_content, by_latest_content, by_tensor])
def test_a_planted_cache_is_found(cache):
    """Unless the sample was disturbed, and says so."""
    found = served(cache)
    assert found.verdict == "apart" or (found.verdict == "open" and found.suspect)


@pytest.mark.parametrize("batch", [1, 16])
def test_an_honest_network_is_not_accused(batch):
    """A loaded machine may leave it open."""
    assert served(batch=batch).verdict != "apart"
