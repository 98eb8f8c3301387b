"""What NVML says about a GPU, by a fake driver: no GPU and no driver were asked for these tests."""
# the expected value stands on the left

from __future__ import annotations

import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from suite.machine import nvml
from suite.machine.nvml import Snapshot, doubt, snapshot

CALM = Snapshot(clock=1980, throttles=(), others=())


class NVMLError(Exception):
    """The driver refuses."""


class FakeDriver:
    """A fake of the binding ``pynvml``, with two GPUs."""

    NVML_CLOCK_SM = 1
    NVMLError = NVMLError

    def __init__(self, *, bits=0, pids=(), refuses=()):
        self.bits, self.pids, self.refuses, self.asked = bits, pids, refuses, []

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
        self.asked.append(uuid)
        return uuid

    def nvmlDeviceGetClockInfo(self, _handle, kind):  # noqa: N802
        assert self.NVML_CLOCK_SM == kind
        return self._answer("clock", 1980)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, _handle):  # noqa: N802
        return self._answer("throttle", self.bits)

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


def test_what_the_driver_does_not_support_is_left_open():
    """A virtual GPU answers some questions only."""
    refusing = FakeDriver(refuses=("clock", "throttle", "processes"))
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
        (replace(CALM, clock=1500), "the GPU's clock fell from 1980 to 1500 MHz"),
        (replace(CALM, throttles=("software power cap",)), "the GPU was slowed down by software power cap"),
        (replace(CALM, others=(7, 8)), "other processes used the GPU: 7, 8"),
        (
            replace(CALM, clock=1000, others=(7,)),
            "the GPU's clock fell from 1980 to 1000 MHz; other processes used the GPU: 7",
        ),
    ],
)
def test_a_doubt_names_what_went_on(after, expected):
    """Throttling, a clock that fell by more than 5 %, other processes."""
    assert expected == doubt(CALM, after)


def test_what_was_there_before_counts_as_well():
    """A process that ended in between, or a reason that went away."""
    before = replace(CALM, throttles=("hardware slowdown",), others=(7,))
    assert "hardware slowdown; other processes used the GPU: 7" in doubt(before, CALM)
    assert doubt(None, CALM) is None


def test_the_bits_are_nvmls():
    """As nvml.h defines them."""
    assert {0x4, 0x8, 0x20, 0x40, 0x80} == set(nvml.THROTTLES)
