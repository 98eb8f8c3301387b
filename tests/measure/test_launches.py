"""Kernels that an accelerator is given, as a profiler that is made up sees them."""
# the expected value stands on the left

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from suite.measure.counting.launches import launches

EVENTS = [
    ("aten::conv2d", "CPU"), ("void cudnn::conv<float>(int)", "CUDA"), ("void at::relu<4>(float)", "CUDA"),
    ("void at::relu<4>(float)", "CUDA"), ("Memcpy DtoD (Device -> Device)", "CUDA"), ("Memset (Device)", "CUDA"),
]  # fmt: skip


@pytest.fixture
def profile(monkeypatch):
    """A profiler of an accelerator that is not here."""
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda _: None)

    def made(events):
        kinds = [SimpleNamespace(name=name, device_type=f"DeviceType.{device}") for name, device in events]

        @contextmanager
        def profiler():
            yield SimpleNamespace(events=lambda: kinds)

        return profiler

    return made


def test_kernels_are_counted_by_name(profile):
    """Operators of the host are none, nor are copies and fills."""
    found = launches(lambda: None, "cuda:0", profile=profile(EVENTS))
    assert {"void cudnn::conv": 1, "void at::relu": 2} == found


def test_a_device_that_the_profiler_does_not_see_has_no_count(profile):
    """It launches something for certain."""
    assert launches(lambda: None, "cuda:0", profile=profile(EVENTS[:1])) is None


def test_a_cpu_launches_nothing(profile):
    """And is not profiled."""
    assert launches(lambda: pytest.fail("called"), "cpu", profile=profile(EVENTS)) is None
