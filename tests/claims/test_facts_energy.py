"""The fact on energy: by the counters that a run reads, and unavailable where they say nothing valid."""
# the expected value stands on the left

import pytest

from suite.claims.facts import accelerator
from suite.core.errors import UnavailableError
from suite.core.machine.energy import EnergyCounter, EnergyCounters
from suite.core.machine.energy_window import EnergyReading
from suite.measure import energy


def test_without_a_counter_the_fact_is_unavailable_with_the_reason(monkeypatch):
    monkeypatch.setattr(accelerator, "counters_of", lambda _: EnergyCounters(absent="virtual machines have none"))
    with pytest.raises(UnavailableError, match="there is no counter of energy here: virtual machines have none"):
        accelerator.joules_per_image()


@pytest.fixture
def reading(monkeypatch):
    """What the counters say of 3 batches of 256 images."""

    def says(state, joules, reason=""):
        counter = EnergyCounter(name="package-0", read=lambda: 0.0)
        monkeypatch.setattr(accelerator, "counters_of", lambda _: EnergyCounters(counters=(counter,)))
        made = EnergyReading(state=state, joules=joules, calls=3, periods=20, seconds=1.0, reason=reason)
        monkeypatch.setattr(energy, "energy", lambda *_, **__: made)

    return says


def test_the_energy_of_an_image_is_that_of_all_calls_by_their_images(reading):
    reading("valid", 768.0)
    assert 1.0 == accelerator.joules_per_image()


def test_an_invalid_reading_makes_the_fact_unavailable(reading):
    reading("invalid", 0.0, "the counter did not move in 1 s")
    with pytest.raises(
        UnavailableError, match="the energy that was read is not valid: the counter did not move in 1 s"
    ):
        accelerator.joules_per_image()
