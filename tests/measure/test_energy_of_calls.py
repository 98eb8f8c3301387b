"""The energy of calls, by counters and a clock that are made up: which readings are valid, and which are not."""
# the expected value stands on the left

import math

import pytest

from suite.core.machine.energy import EnergyCounter, EnergyCounters
from suite.core.machine.energy_window import LEAST_PERIODS
from suite.core.records import Cell
from suite.measure import speed
from suite.measure.energy import PATIENCE, energy

CELL = Cell(workload="halves", technique="wrapped", device="cpu")
EPSILON = 1e-9  # seconds: a period that ends now is over


class Bench:
    """A device of ``watts`` on which a call takes ``takes`` seconds; its counter is updated every ``period`` seconds.

    The counter stops at ``stops`` seconds and starts again from 0 at ``wraps_at`` joules.
    """

    def __init__(self, *, watts=100.0, takes=0.001, period=0.001, stops=math.inf, wraps_at=None, begins=0.0):
        self.watts, self.takes, self.period, self.stops, self.wraps_at = watts, takes, period, stops, wraps_at
        self.now, self.calls, self.begins = 0.0, 0, begins

    def call(self):
        self.now += self.takes
        self.calls += 1

    def joules(self):
        periods = math.floor((min(self.now, self.stops) + EPSILON) / self.period)
        found = self.begins + periods * self.period * self.watts
        return found if self.wraps_at is None else found % self.wraps_at

    def counter(self, *, told=True):
        return EnergyCounter(name="package-0", read=self.joules, wraps_at=self.wraps_at if told else None)

    def read(self, *counters, seconds=6.0):
        return energy(
            self.call, counters or [self.counter()], seconds=seconds, synchronize=lambda: None, clock=lambda: self.now
        )


@pytest.mark.parametrize("period", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("takes", [0.00001, 0.003, 0.25])
def test_the_energy_of_a_call_is_its_time_at_the_power_of_the_device(period, takes):
    """Fast and slow counters, short and long calls, within what one period or turn in 20 can hide."""
    found = Bench(period=period, takes=takes).read(seconds=30.0)
    assert ("valid", "") == (found.state, found.reason)
    assert found.periods >= LEAST_PERIODS
    assert found.joules / found.calls == pytest.approx(100.0 * takes, rel=0.05)


def test_a_counter_that_does_not_move_is_invalid_and_not_absent():
    found = Bench(stops=0.0).read()
    assert ("invalid", 0.0) == (found.state, found.joules)
    assert f"the counter did not move in {PATIENCE:g} s" == found.reason


def test_a_counter_that_stops_has_too_few_periods():
    """The same as one that is too slow for the time."""
    bench = Bench(period=0.1, stops=0.75)
    found = bench.read()
    assert "invalid" == found.state
    assert f"6 periods of the counter in 6.0 s, {LEAST_PERIODS} are needed" == found.reason
    assert "19 periods of" in Bench(period=0.2).read(seconds=3.9).reason


def test_a_counter_that_starts_again_once_is_read_across_it():
    """At its own limit, which it says."""
    found = Bench(wraps_at=100.0, begins=80.0).read()
    assert "valid" == found.state
    assert found.joules / found.calls == pytest.approx(0.1, rel=0.05)


def test_a_counter_that_starts_again_twice_is_invalid():
    """Between two readings it may have done so unseen."""
    found = Bench(wraps_at=20.0).read()
    assert "invalid" == found.state
    assert "package-0 started again twice, so a third time may be missed" == found.reason


def test_a_counter_that_goes_back_without_saying_where_it_starts_is_invalid():
    bench = Bench(wraps_at=30.0)
    found = bench.read(bench.counter(told=False))
    assert "invalid" == found.state
    assert found.reason.startswith("package-0 went back by ")


def test_several_packages_add_up_and_the_one_with_the_fewest_periods_counts():
    bench = Bench()
    slow = EnergyCounter(name="slow", read=lambda: math.floor((bench.now + EPSILON) / 0.05) * 0.05 * 10.0)
    found = bench.read(bench.counter(), slow)
    assert "valid" == found.state
    assert found.joules / found.calls == pytest.approx(0.11, rel=0.05)
    assert LEAST_PERIODS <= found.periods <= 1 + found.seconds / 0.05


def test_a_counter_that_no_longer_answers_is_invalid():
    """A driver that was reset, a file that is gone."""
    bench = Bench()

    def read():
        if bench.now > 0.3:
            raise OSError("NVML does not answer: GPU is lost")
        return bench.joules()

    found = bench.read(EnergyCounter(name="gpu", read=read))
    assert ("invalid", "the counter cannot be read any more: NVML does not answer: GPU is lost") == (
        found.state, found.reason,
    )  # fmt: skip


class FakeArm:
    """Serves 4 items in a call of a `Bench`."""

    def __init__(self, bench):
        self.served = type("Served", (), {"recipe": type("Recipe", (), {"flags": {}})()})()
        self.bench = bench

    def call(self, batch):
        assert 4 == batch
        return self.bench.call


@pytest.fixture
def measured_on(monkeypatch):
    """The measurements of a bench in place of this machine's counters and clock."""

    def measure(bench, seconds=6.0):
        monkeypatch.setattr(speed, "counters_of", lambda _: EnergyCounters(counters=(bench.counter(),)))
        monkeypatch.setattr(speed, "energy", lambda _, counters, **__: bench.read(*counters))
        return speed._energy(CELL, FakeArm(bench), 4, seconds, {"batch": 4})

    return measure


def test_the_metric_is_joules_per_item_with_the_counter_and_its_periods(measured_on):
    (found,) = measured_on(Bench())
    assert ("energy_per_item", "J", "local", None) == (found.metric, found.unit, found.tier, found.suspect)
    assert found.value == pytest.approx(0.1 / 4, rel=0.05)
    assert found.n >= LEAST_PERIODS
    assert found.note.startswith(f"package-0, {found.n} periods of the counter in ")


def test_an_invalid_reading_is_suspect_and_keeps_what_was_read(measured_on):
    """So that it is not taken for absent, and nothing is judged by it."""
    (found,) = measured_on(Bench(stops=0.0))
    assert (0.0, f"invalid: the counter did not move in {PATIENCE:g} s") == (found.value, found.suspect)


def test_without_a_counter_or_without_time_for_it_there_is_no_measurement(measured_on, monkeypatch):
    """Nothing is computed from a nominal power."""
    assert [] == measured_on(Bench(), seconds=0.0)
    monkeypatch.setattr(speed, "counters_of", lambda _: EnergyCounters(absent="no counter"))
    assert [] == speed._energy(CELL, FakeArm(Bench()), 4, 6.0, {"batch": 4})


def test_a_quick_run_and_replicas_do_not_read_energy():
    """Twenty periods of a GPU's counter take two seconds."""
    assert [0.0, 0.0] == [speed.QUICK.energy, speed.REPLICA.energy]
    assert speed.DEFAULT.energy > 0
