"""What NVML says about a GPU, by a fake driver: no GPU and no driver were asked for these tests."""
# the expected value stands on the left

from __future__ import annotations

import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from suite.core.machine import nvml
from suite.core.machine.nvml import Snapshot, doubt, snapshot

CALM = Snapshot(clock=1980, throttles=(), others=(), power_limit=700.0)


class NVMLError(Exception):
    """The driver refuses."""


class FakeDriver:
    """A fake of the binding ``pynvml``, with two GPUs; ``uuids`` are those it knows, ``mig`` is on or off."""

    NVML_CLOCK_SM = 1
    NVMLError = NVMLError

    def __init__(self, *, bits=0, pids=(), refuses=(), uuids=(), mig=0):
        self.bits, self.pids, self.refuses, self.asked = bits, pids, refuses, []
        self.uuids, self.mig = uuids, mig

    def _answer(self, question, answer):
        if question in self.refuses:
            raise NVMLError(question)
        return answer

    def nvmlInit(self):  # noqa: N802  # the binding's names
        self._answer("init", None)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        self.asked.append(index)
        return self._answer("handle", index)

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        if self.uuids and uuid not in self.uuids:
            raise NVMLError(uuid)
        self.asked.append(uuid)
        return uuid

    def nvmlDeviceGetClockInfo(self, _handle, kind):  # noqa: N802
        assert self.NVML_CLOCK_SM == kind
        return self._answer("clock", 1980)

    def nvmlDeviceGetMaxClockInfo(self, _handle, kind):  # noqa: N802
        assert self.NVML_CLOCK_SM == kind
        return self._answer("clock", 1980)

    def nvmlDeviceGetCurrentClocksEventReasons(self, _handle):  # noqa: N802
        return self._answer("throttle", self.bits)

    def nvmlDeviceGetEnforcedPowerLimit(self, _handle):  # noqa: N802
        return self._answer("power", 700_000)

    def nvmlDeviceGetMigMode(self, _handle):  # noqa: N802
        return self._answer("mig", [self.mig, 0])

    def nvmlSystemGetDriverVersion(self):  # noqa: N802
        return self._answer("driver", "580.95.05")

    def nvmlDeviceGetComputeRunningProcesses(self, _handle):  # noqa: N802
        return self._answer("processes", [SimpleNamespace(pid=pid) for pid in self.pids])


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_calm_gpu_is_read_as_calm():
    """Its clock, no reason to throttle, nobody else; this process and its parent are no others."""
    assert snapshot("cuda", FakeDriver(pids=(os.getpid(), os.getppid()))) == CALM


def test_reasons_that_slow_a_gpu_down_are_read_by_name():
    """Idleness (bit 0) and clocks set by the user (bit 1) are none."""
    found = snapshot("cuda", FakeDriver(bits=0x1 | 0x2 | 0x4 | 0x40))
    assert ("software power cap", "hardware thermal slowdown") == found.throttles


def test_other_processes_are_read_by_their_ids():
    """In order."""
    assert (7, 99_999_999) == snapshot("cuda", FakeDriver(pids=(99_999_999, os.getpid(), 7))).others


@pytest.mark.parametrize("pids", [(4711,), (4711, 4712), ()])
def test_process_ids_of_another_namespace_say_nothing_about_others(pids):
    """In a container the driver counts as the host does: this process, which holds the GPU, is not among them."""
    assert () == snapshot("cuda", FakeDriver(pids=pids)).others
    assert doubt(CALM, snapshot("cuda", FakeDriver(pids=pids))) is None


def test_an_older_driver_is_asked_by_the_older_name():
    """A new binding has both calls; a driver that lacks the new one refuses it."""

    class Older(FakeDriver):
        def nvmlDeviceGetCurrentClocksEventReasons(self, _handle):  # noqa: N802
            raise NVMLError("function not found")

        def nvmlDeviceGetCurrentClocksThrottleReasons(self, _handle):  # noqa: N802
            return self.bits

    assert ("hardware slowdown",) == snapshot("cuda", Older(bits=0x8)).throttles
    old = Older(bits=0x8)
    old.nvmlDeviceGetCurrentClocksEventReasons = old.nvmlDeviceGetCurrentClocksThrottleReasons
    assert ("hardware slowdown",) == snapshot("cuda", old).throttles


def test_what_the_driver_does_not_support_is_left_open():
    """A virtual GPU answers some questions only."""
    refusing = FakeDriver(refuses=("clock", "throttle", "processes", "power"))
    assert Snapshot(clock=None, throttles=(), others=()) == snapshot("cuda", refusing)


@pytest.mark.parametrize(
    ("device", "visible", "asked"),
    [
        ("cuda", "", 0),
        ("cuda:1", "", 1),
        ("cuda:1", "3,5", 5),
        ("cuda", "GPU-8f1a", "GPU-8f1a"),
        ("cuda:2", "3,5", 2),
    ],
)
def test_the_gpu_is_the_one_that_torch_means(monkeypatch, device, visible, asked):
    """Torch counts the visible ones, the driver all."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    driver = FakeDriver()
    snapshot(device, driver)
    assert [asked] == driver.asked


@pytest.mark.parametrize("known", ["GPU-8f1a-00", "MIG-8f1a-00"])
def test_the_gpu_or_its_slice_is_found_by_the_uuid_that_torch_gives(torch, known):
    """Torch numbers the fastest first, NVML by the bus; a MIG slice has no number of its own."""
    made = torch(kind="cuda", count=2)
    made.cuda.get_device_properties = {"cuda:1": SimpleNamespace(uuid="8f1a-00")}.__getitem__
    driver = FakeDriver(uuids=(known,))
    snapshot("cuda:1", driver)
    assert [known] == driver.asked


@pytest.mark.parametrize("refuses", ["init", "handle"])
def test_without_a_driver_or_such_a_gpu_there_is_nothing_to_say(refuses):
    """No error: the figures stand without it."""
    assert snapshot("cuda", FakeDriver(refuses=(refuses,))) is None


def test_without_the_binding_there_is_nothing_to_say(monkeypatch):
    """It is an optional package."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert snapshot("cuda") is None


def test_the_installed_binding_is_used(monkeypatch):
    """When nothing is given."""
    monkeypatch.setitem(sys.modules, "pynvml", FakeDriver())
    assert snapshot("cuda") == CALM


@pytest.mark.parametrize("device", ["cpu", "xpu", "mps"])
def test_other_devices_are_not_nvmls(device):
    """Another maker's, or none."""
    assert snapshot(device, FakeDriver()) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (CALM, None),
        (None, None),
        (replace(CALM, clock=1900), None),
        (replace(CALM, clock=None), None),
        (replace(CALM, clock=2200), None),
        (replace(CALM, clock=1500), None),
        (replace(CALM, throttles=("software power cap",)), None),
        (
            replace(CALM, throttles=("software power cap", "software thermal slowdown")),
            "the GPU was slowed down by software thermal slowdown",
        ),
        (replace(CALM, others=(7, 8)), "other processes used the GPU: 7, 8"),
        (
            replace(CALM, throttles=("hardware power brake",), others=(7,)),
            "the GPU was slowed down by hardware power brake; other processes used the GPU: 7",
        ),
    ],
)
def test_a_doubt_names_what_went_on(after, expected):
    """Heat, a power brake, other processes; at its power cap a GPU that works hard lowers its clock, as it should."""
    assert expected == doubt(CALM, after)


def test_what_was_there_before_counts_as_well():
    """A process that ended in between, or a reason that went away."""
    before = replace(CALM, throttles=("hardware slowdown",), others=(7,))
    assert "hardware slowdown; other processes used the GPU: 7" in doubt(before, CALM)
    assert doubt(None, CALM) is None


def test_the_bits_are_nvmls():
    """As nvml.h defines them."""
    assert {0x4, 0x8, 0x20, 0x40, 0x80} == set(nvml.REASONS)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (CALM, "clock 1980 to 1980 MHz, limit 700 W"),
        (
            replace(CALM, clock=1575, throttles=("software power cap",)),
            "clock 1980 to 1575 MHz, software power cap, limit 700 W",
        ),
        (replace(CALM, clock=None), "limit 700 W"),
        (None, None),
    ],
)
def test_a_note_says_how_the_gpu_was_while_it_was_timed(after, expected):
    """The clock, the power cap where it was met, and the limit."""
    assert expected == nvml.note(CALM, after)


def test_a_gpu_is_described_by_driver_limits_and_mig(torch):
    """For the header of a run and for `suite doctor`."""
    torch(kind="cuda")
    found = nvml.describe("cuda", FakeDriver())
    assert "nvml answers, driver 580.95.05, power limit 700 W, clock 1980 of 1980 MHz, mig off" == nvml.line(found)
    assert "on" == nvml.describe("cuda", FakeDriver(mig=1))["mig"]
    virtual = FakeDriver(refuses=("clock", "power", "mig", "driver"))
    assert {"nvml": "answers"} == nvml.describe("cuda", virtual)


def test_without_an_answer_the_description_says_why(torch, monkeypatch):
    """No binding, with the command that installs it; a driver that refuses; nothing for other makers' devices."""
    torch(kind="cuda")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert {"nvml": nvml.NO_BINDING} == nvml.describe("cuda")
    assert "pip install 'tradeoff-suite[gpu]'" in nvml.NO_BINDING
    assert {"nvml": "does not answer: init"} == nvml.describe("cuda", FakeDriver(refuses=("init",)))
    assert {} == nvml.describe("cpu") == nvml.describe("xpu")
    torch(kind="cuda", hip="6.4")
    assert {} == nvml.describe("cuda", FakeDriver())


def test_the_drivers_version_comes_from_nvml_too(monkeypatch):
    """Where the kernel has no file that says it (Windows); older bindings give bytes."""
    assert "580.95.05" == nvml.driver(FakeDriver())
    older = FakeDriver()
    older.nvmlSystemGetDriverVersion = lambda: b"535.1"
    assert "535.1" == nvml.driver(older)
    assert nvml.driver(FakeDriver(refuses=("init",))) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.driver() is None
