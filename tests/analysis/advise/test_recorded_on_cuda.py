"""A profile as torch's profiler returns it on CUDA, written down by hand: no GPU ran for these tests."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import torch
from torch.autograd import DeviceType

from suite.analysis.profile import counting
from suite.analysis.profile.counting import Counted
from suite.analysis.profile.recording import COMPILED, PROFILED, _operators, _rounds

ROUND_US, LAUNCH_US, KERNEL_US = 1000.0, 10.0, 800.0
COUNTS = {"aten::mm": Counted(calls=1, flops=1e9, moved=1e6)}


def event(name, start, end, *, device=DeviceType.CPU, parent=None, device_us=0.0):
    """As much of the profiler's event as is read."""
    made = SimpleNamespace(
        name=name, time_range=SimpleNamespace(start=start, end=end), device_type=device, is_async=False,
        cpu_parent=parent, cpu_children=[], cpu_time_total=end - start, device_time_total=device_us,
    )  # fmt: skip
    if parent is not None:
        parent.cpu_children.append(made)
    return made


def profiled(operator="aten::mm"):
    """Rounds of one product: the host's range, operator and, on the device's timeline, the same range and a kernel.

    The device begins later than the host, so its range of a round starts after the operator was launched.
    """
    for number in range(PROFILED):
        start, name = number * ROUND_US, f"suite round {number}: compute"
        outer = event(name, start, start + ROUND_US - 1)
        yield outer
        yield event(operator, start + 2, start + 2 + LAUNCH_US, parent=outer, device_us=KERNEL_US)
        late = start + LAUNCH_US + 5
        yield event(name, late, late + KERNEL_US, device=DeviceType.CUDA)
        yield event("sm90_xmma_gemm", late, late + KERNEL_US, device=DeviceType.CUDA, device_us=KERNEL_US)
        if "CompiledFxGraph" in operator:  # its range too stands on both timelines
            yield event(operator, late, late + KERNEL_US, device=DeviceType.CUDA, device_us=KERNEL_US)


def test_a_round_is_counted_once_though_the_device_has_a_range_of_its_name():
    """Five rounds, as long as the host says."""
    found = _rounds(list(profiled()))
    assert [(k * ROUND_US, (k + 1) * ROUND_US - 1) for k in range(PROFILED)] == found


@pytest.mark.parametrize(("operator", "name"), [("aten::mm", "aten::mm"), ("## Call CompiledFxGraph f3a ##", COMPILED)])
def test_an_operator_has_all_of_its_device_time_in_the_round_that_launched_it(operator, name):
    """One call a round, 800 us of the device."""
    (found,) = _operators(list(profiled(operator)), COUNTS, on_device=True)
    assert (name, 1.0) == (found.name, found.calls)
    assert pytest.approx(KERNEL_US * 1e-6) == found.seconds


class OnCuda:
    """As much of a tensor as is asked."""

    is_cuda, dtype = True, torch.float32


@pytest.mark.parametrize(
    ("name", "matmul", "cudnn", "expected"),
    [
        ("aten::convolution", "highest", True, "tensorfloat32"),
        ("aten::convolution_backward", "high", False, "float32"),
        ("aten::mm", "highest", True, "float32"),
        ("aten::mm", "high", False, "tensorfloat32"),
        ("aten::addmm", "mixed", True, "tensorfloat32"),
    ],
)
def test_float32_on_cuda_is_held_to_the_ceiling_of_what_it_computes_in(monkeypatch, name, matmul, cudnn, expected):
    """cuDNN rounds convolutions by default and is many times as fast as products that are not rounded."""
    monkeypatch.setattr(counting, "_matmul_precision", lambda: matmul)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", cudnn)
    assert expected == counting._computed_in(name, OnCuda)


def test_on_a_cpu_float32_is_float32():
    """Whatever cuDNN may do."""
    assert "float32" == counting._computed_in("aten::convolution", torch.ones(1))
