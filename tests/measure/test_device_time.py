"""Device time against wall time, on a fake device: no accelerator ran for these tests."""
# the expected value stands on the left

import pytest
import torch

from suite.measure import device_time
from suite.measure.device_time import device_share


class FakeQueue:
    """A fake accelerator: the host takes time to launch, the device works through its queue in order."""

    def __init__(self, *, launch, kernel, kernels):
        self.launch, self.kernel, self.kernels = launch, kernel, kernels
        self.host = self.device = 0.0

    def clock(self):
        return self.host

    def synchronize(self):
        self.host = max(self.host, self.device)

    def mark(self):
        return max(self.host, self.device)

    def seconds_between(self, first, second):
        return second - first

    def keep_busy(self, seconds):
        self.device = max(self.host, self.device) + seconds

    def call(self):
        for _ in range(self.kernels):
            self.host += self.launch
            self.device = max(self.host, self.device) + self.kernel


def share(**costs):
    queue = FakeQueue(**costs)
    return device_share(queue.call, "cuda", queue=queue, clock=queue.clock)


def test_small_kernels_that_wait_for_launches_show_the_host():
    """Ten kernels of 2 us at 10 us a launch: the device works for 20 us of 102."""
    assert pytest.approx(20 / 102) == share(launch=10e-6, kernel=2e-6, kernels=10)


def test_large_kernels_show_the_device():
    """Launching goes on while the device works."""
    assert pytest.approx(10_000 / 10_010) == share(launch=10e-6, kernel=1e-3, kernels=10)


def test_a_share_is_at_most_one():
    """Clocks of host and device differ by a little."""
    queue = FakeQueue(launch=0.0, kernel=1e-3, kernels=1)
    queue.seconds_between = lambda first, second: 1.01 * (second - first)
    assert 1.0 == device_share(queue.call, "cuda", queue=queue, clock=queue.clock)


def test_a_long_call_that_is_launched_at_once_needs_no_second_one():
    """Two seconds of work behind a hundredth of a second of launches."""
    queue = FakeQueue(launch=1e-3, kernel=0.2, kernels=10)
    assert pytest.approx(1 - 0.010 / 2.001) == device_share(queue.call, "cuda", queue=queue, clock=queue.clock)
    assert queue.host < 2.1
    slow = FakeQueue(launch=0.02, kernel=0.001, kernels=10)
    assert device_share(slow.call, "cuda", queue=slow, clock=slow.clock) < 0.1


def test_a_cpu_has_no_device_time():
    """The metric is absent there."""
    assert device_share(lambda: None, "cpu") is None


def test_a_device_whose_events_keep_no_time_has_none(monkeypatch):
    """Absent, and no error."""

    def refuse(_):
        raise RuntimeError("events of this backend have no timing")

    monkeypatch.setattr(device_time, "TorchQueue", refuse)
    assert device_share(lambda: None, "mps") is None


class FakeEvent:
    """As much of ``torch.Event`` as is used, with a device clock that only products move."""

    now = 0.0

    def __init__(self, device, *, enable_timing):
        assert ("cuda:1", True) == (device, enable_timing)
        self.at = None

    def record(self, stream):
        assert "stream of cuda:1" == stream
        self.at = FakeEvent.now

    def elapsed_time(self, other):
        return other.at - self.at


def test_torchs_queue_is_kept_busy_for_as_long_as_asked(monkeypatch):
    """One product is timed, and as many queued as fill the time; a fake torch, no GPU."""
    products = []

    def multiply(*_):
        products.append(1)
        FakeEvent.now += 4.0  # milliseconds

    monkeypatch.setattr(torch, "ones", lambda *_, **__: "matrix")
    monkeypatch.setattr(torch, "mm", multiply)
    monkeypatch.setattr(torch, "Event", FakeEvent)
    monkeypatch.setattr(torch.accelerator, "current_stream", lambda device: f"stream of {device}")
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda _: None)
    queue = device_time.TorchQueue("cuda:1")
    assert 0.004 == queue.seconds
    products.clear()
    queue.keep_busy(0.010)
    assert 3 == len(products)
