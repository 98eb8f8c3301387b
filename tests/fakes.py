"""Hardware that is not here: as much of torch as the look-ups use."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest


def fake_torch(*, kind=None, count=1, name="NVIDIA H200", hip=None, arch="gfx942:sramecc+:xnack-"):
    """As much of torch as the look-ups use, of a machine that is not here."""
    accelerator = SimpleNamespace(
        is_available=lambda: kind is not None,
        current_accelerator=lambda: SimpleNamespace(type=kind),
        device_count=lambda: count,
    )
    cuda = SimpleNamespace(
        get_device_capability=lambda _: (9, 0),
        get_device_name=lambda _: name,
        get_device_properties=lambda _: SimpleNamespace(gcnArchName=arch),
        is_bf16_supported=lambda: False,
    )
    xpu = SimpleNamespace(get_device_name=lambda _: "Intel(R) Data Center GPU Max 1100")
    version = SimpleNamespace(hip=hip, cuda=None if hip else "13.0")
    return SimpleNamespace(
        accelerator=accelerator,
        cuda=cuda,
        xpu=xpu,
        mps=SimpleNamespace(),
        version=version,
        get_num_threads=lambda: 3,
    )


@pytest.fixture
def torch(monkeypatch):
    def install(**options):
        made = fake_torch(**options)
        monkeypatch.setitem(sys.modules, "torch", made)
        return made

    return install
