"""Counters of an allocator that is not here: this fake says what a device would, no GPU ran."""

import torch

from suite.measure import device_memory


class FakeAccelerator:
    """``bytes`` are allocated and ``peak`` were; ``workspace`` are those that libraries allocate once.

    ``segments`` are what the allocator's snapshot lists.
    """

    def __init__(self, monkeypatch):
        self.bytes = self.peak = self.workspace = 0
        self.has_workspace, self.segments = False, []
        monkeypatch.setattr(device_memory, "synchronize", lambda _: None)
        monkeypatch.setattr(device_memory, "_let_libraries_allocate", self.let_libraries_allocate)
        monkeypatch.setattr(torch.accelerator, "memory_allocated", lambda _: self.bytes)
        monkeypatch.setattr(torch.accelerator, "max_memory_allocated", lambda _: self.peak)
        monkeypatch.setattr(torch.accelerator, "reset_peak_memory_stats", self.reset)
        monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda: self.segments)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)

    def let_libraries_allocate(self, _):
        if not self.has_workspace:
            self.use(0, kept=self.workspace)
            self.has_workspace = True

    def reset(self, _):
        self.peak = self.bytes

    def use(self, transient, kept=0):
        self.peak = max(self.peak, self.bytes + transient)
        self.bytes += kept
