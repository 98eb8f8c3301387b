"""The energy of trainings, by made-up counters and clocks: of the same epochs as the seconds, and when it counts."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch

from suite.core.machine.energy import EnergyCounter, EnergyCounters
from suite.core.machine.energy_window import EnergyReading, together
from suite.training import energy as module
from suite.training.energy import NoMeter, TrainingMeter, meter_of
from suite.training.launch import ONE_PROCESS
from suite.training.loop import EpochRecord, Goal

WATTS = 50.0


class Device:
    """Time goes on as it is told; the counter is updated every ``period`` seconds, and fails from ``fails`` on."""

    def __init__(self, *, period=0.001, fails=float("inf"), wraps_at=None):
        self.now, self.period, self.fails, self.wraps_at = 0.0, period, fails, wraps_at

    def joules(self):
        if self.now >= self.fails:
            raise OSError("the driver is gone")
        found = int((self.now + 1e-9) / self.period) * self.period * WATTS
        return found if self.wraps_at is None else found % self.wraps_at

    def meter(self):
        counter = EnergyCounter(name="package-0", read=self.joules, wraps_at=self.wraps_at)
        return TrainingMeter([counter], clock=lambda: self.now)

    def epoch(self, meter, *, seconds=1.0, steps=100, pause=0.0):
        """One epoch, then a pause that is no training; returns the reading at its end."""
        meter.go_on()
        for _ in range(steps):
            self.now += seconds / steps
            meter.look()
        found = meter.reading(1)
        if pause:
            meter.pause()
            self.now += pause
        return found


def test_the_energy_is_that_of_the_epochs_at_the_power_of_the_device():
    device = Device()
    meter = device.meter()
    first, second = device.epoch(meter), device.epoch(meter)
    assert ("valid", "valid") == (first.state, second.state)
    assert (pytest.approx(WATTS, rel=0.05), pytest.approx(2 * WATTS, rel=0.05)) == (first.joules, second.joules)
    assert pytest.approx(2.0) == second.seconds


def test_what_is_done_between_epochs_does_not_count():
    """Scores are looked at while the target is not reached."""
    device = Device()
    meter = device.meter()
    device.epoch(meter, pause=5.0)
    found = device.epoch(meter)
    assert ("valid", pytest.approx(2 * WATTS, rel=0.05)) == (found.state, found.joules)
    assert pytest.approx(2.0) == found.seconds


def test_a_counter_is_read_at_most_so_often_that_it_costs_a_hundredth():
    """Readings of a millisecond come a tenth of a second apart."""
    device, reads = Device(period=0.01), []

    def read():
        reads.append(device.now)
        device.now += 0.001
        return device.joules()

    meter = TrainingMeter([EnergyCounter(name="slow", read=read)], clock=lambda: device.now)
    device.epoch(meter, seconds=1.0, steps=1000)
    assert 5 <= len(reads) <= 13


def test_a_training_of_too_few_periods_is_invalid_with_the_reason():
    """20 for each part of it: each has two ends."""
    device = Device(period=0.1)
    meter = device.meter()
    found = device.epoch(meter, seconds=1.5, pause=1.0)
    assert ("invalid", "15 periods of the counter in a training of one part, 20 are needed") == (
        found.state, found.reason,
    )  # fmt: skip
    assert "of 2 parts (scores are looked at between them), 40 are needed" in device.epoch(meter, seconds=2.1).reason


@pytest.mark.parametrize("fails", [0.0, 0.5])
def test_a_counter_that_does_not_answer_makes_the_reading_invalid_and_ends_nothing(fails):
    """At once, or in the midst of an epoch."""
    device = Device(fails=fails)
    found = device.epoch(device.meter())
    assert ("invalid", "the counter cannot be read any more: the driver is gone") == (found.state, found.reason)
    assert found.joules <= WATTS * 0.5


def test_a_counter_that_starts_again_twice_is_invalid():
    """As of served items."""
    device = Device(wraps_at=20.0)
    assert "package-0 started again twice" in device.epoch(device.meter()).reason


def test_readings_of_several_stages_add_up_and_one_that_is_invalid_spoils_all():
    good = EnergyReading(state="valid", joules=2.0, calls=3, periods=40, seconds=1.0)
    bad = EnergyReading(state="invalid", joules=1.0, calls=1, periods=2, seconds=1.0, reason="too few")
    assert EnergyReading(state="valid", joules=4.0, calls=6, periods=80, seconds=2.0) == together([good, good])
    assert ("invalid", "too few", 3.0) == (
        together([good, bad]).state, together([good, bad]).reason, together([good, bad]).joules,
    )  # fmt: skip
    assert [None, None] == [together([good, None]), together([])]


def test_nothing_is_read_without_a_counter_and_of_several_ranks(monkeypatch):
    assert isinstance(meter_of("mps", ONE_PROCESS), NoMeter)
    assert meter_of("mps", ONE_PROCESS).reading(1) is None
    monkeypatch.setattr(module, "counters_of", lambda _: EnergyCounters(counters=(Device().meter()._counters[0],)))
    assert isinstance(meter_of("cpu", ONE_PROCESS), TrainingMeter)
    two = type("Two", (), {"ranks": 2})()
    assert not isinstance(meter_of("cpu", two), TrainingMeter)


@pytest.fixture
def counted(monkeypatch):
    """A counter that counts a joule and a period with each reading."""
    reads = iter(range(10**9))
    counter = EnergyCounter(name="package-0", read=lambda: float(next(reads)))
    monkeypatch.setattr(module, "counters_of", lambda _: EnergyCounters(counters=(counter,)))
    monkeypatch.setattr(module, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(module, "SHARE", 1e9)


@pytest.mark.usefixtures("counted")
def test_a_trained_network_has_the_energy_of_its_epochs():
    """As many as were trained."""
    trained = tiny.fitted(epochs=2)
    assert 2 == trained.energy.calls
    assert trained.energy == trained.epochs[-1].energy
    assert 0 < trained.epochs[0].energy.joules < trained.energy.joules


@pytest.mark.usefixtures("counted")
def test_weights_are_the_same_with_and_without_a_counter(monkeypatch):
    """Reading a counter changes no training."""
    read = tiny.fitted(epochs=1)
    monkeypatch.setattr(module, "counters_of", lambda _: EnergyCounters(absent="none"))
    plain = tiny.fitted(epochs=1)
    assert plain.energy is None
    for one, other in zip(read.network.parameters(), plain.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_energy_to_the_target_is_that_of_the_epoch_that_reached_it():
    """`None` where none did, and where it was not read."""
    readings = [EnergyReading(state="valid", joules=j, calls=k, periods=99, seconds=j) for k, j in ((1, 3.0), (2, 7.0))]
    scores = (0.3, 0.95)
    records = [EpochRecord(seconds=r.seconds, score=s, energy=r) for r, s in zip(readings, scores, strict=True)]
    trained = replace(tiny.fitted(epochs=1), epochs=tuple(records))

    def until(value):
        return trained.energy_to(Goal(value=value, better="higher", score=lambda *_: 0.0))

    assert [readings[0], readings[1], None] == [until(0.2), until(0.9), until(0.99)]
