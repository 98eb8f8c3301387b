"""Measured ceilings and their cache."""

from __future__ import annotations

import json
from types import SimpleNamespace

import platformdirs
import pytest
import torch as real_torch
from hypothesis import given
from hypothesis import strategies as st

from suite.core.machine import hardware
from suite.measure import ceilings as module
from suite.measure.ceilings import Ceilings, ceilings, gemm_rate


def timed_products(rate):
    """A clock, and products that take 2 n^3 / rate seconds of it; ``sizes`` are those asked for."""
    now, sizes = [0.0], []

    def product(n):
        sizes.append(n)

        def call():
            now[0] += 2 * n**3 / rate

        return call

    return product, sizes, lambda: now[0]


@given(rate=st.floats(1e8, 1e15))
def test_the_rate_of_products_is_recovered(rate):
    """2 n^3 over the median time, for slow and fast machines."""
    product, _, clock = timed_products(rate)
    assert rate == pytest.approx(gemm_rate(product, 1e-3, clock))


def test_matrices_grow_until_a_product_takes_long_enough():
    """At 50 GFLOP/s 1024 is the first size above 20 ms; an emulated type stops at the first."""
    product, sizes, clock = timed_products(50e9)
    gemm_rate(product, 0.1, clock)
    assert sizes == [128, 256, 512, 1024]
    product, sizes, clock = timed_products(1e8)
    gemm_rate(product, 0.1, clock)
    assert sizes == [128]


@pytest.fixture
def cache(tmp_path, monkeypatch, torch):
    """An empty cache; each measurement is counted and gives another figure."""
    torch()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path)
    measured = []

    def measure(device, seconds):
        measured.append((device, seconds))
        return Ceilings(machine="m", threads=3, copy=1e9 * len(measured), gemm={"float32": 1e10})

    monkeypatch.setattr(module, "_measure_ceilings", measure)
    return SimpleNamespace(folder=tmp_path / "ceilings", measured=measured)


def test_ceilings_are_measured_once_and_then_read(cache):
    """One file, named by the machine's key; the second call gives the same figures."""
    first = ceilings("cpu")
    assert first == ceilings("cpu")
    assert len(cache.measured) == 1
    (file,) = cache.folder.iterdir()
    assert file.name.startswith(hardware.machine_key("cpu"))


def test_refresh_measures_again_and_replaces(cache):
    """A moved container or a new cooler."""
    ceilings("cpu")
    assert ceilings("cpu", refresh=True).copy == 2e9
    assert ceilings("cpu").copy == 2e9
    assert len(list(cache.folder.iterdir())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"gemm": {}}',
        '{"gemm": [], "copy": 1, "machine": "m", "threads": 1}',
        '{"gemm": {"float32": NaN}, "copy": 1, "machine": "m", "threads": 1}',
        '{"gemm": {"float32": "fast"}, "copy": 1, "machine": "m", "threads": 1}',
    ],
)
def test_a_corrupt_cache_is_measured_again(cache, text):
    """Half a file, another schema, a NaN: none is believed, all are replaced."""
    ceilings("cpu")
    (file,) = cache.folder.iterdir()
    file.write_text(text, "utf-8")
    assert ceilings("cpu").copy == 2e9
    assert json.loads(file.read_text("utf-8"))["copy"] == 2e9


def test_other_threads_have_other_ceilings(cache, torch):
    """Two threads are not compared with eight."""
    ceilings("cpu")
    torch().get_num_threads = lambda: 8
    ceilings("cpu")
    assert len(list(cache.folder.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_no_error(cache):
    """The folder's name is taken by a file: the figures come all the same."""
    cache.folder.write_text("", "utf-8")
    assert ceilings("cpu").copy == 1e9
    assert ceilings("cpu").copy == 2e9


@pytest.fixture
def rates(monkeypatch):
    """``rates(device)``: measured on this processor, as if it were the device; by type, the precision of products."""

    def measure(device):
        seen = {}
        monkeypatch.setattr(module, "missing_need", lambda need, _: None if need == "tensorfloat32" else need)
        monkeypatch.setattr(module, "_products", lambda _, name: name)
        monkeypatch.setattr(module, "gemm_rate", lambda name, *_: seen.setdefault(len(seen), (name, precision())))
        monkeypatch.setattr(module, "_median_seconds", lambda *_: 1.0)
        monkeypatch.setattr(module, "_copy_bytes", lambda _: 8)
        for name in ("machine_key", "threads"):
            monkeypatch.setattr(module, name, lambda device: device)
        monkeypatch.setattr(module, "_waiting", lambda _device, call: call)
        monkeypatch.setattr("torch.ones", lambda *_, **__: real_torch.zeros(2))
        return module._measure_ceilings(device, 0.1).gemm

    return measure


def precision():
    return real_torch.get_float32_matmul_precision()


def test_products_rounded_to_tf32_have_a_ceiling_of_their_own(rates):
    """float32 means both on CUDA: convolutions round by default, products do not."""
    before = precision()
    assert {"float32": ("float32", "highest"), "tensorfloat32": ("float32", "high")} == rates("cuda")
    assert before == precision()


def test_a_precision_that_cannot_be_brought_back_is_left_alone(rates, monkeypatch):
    """Set through both of torch's interfaces: float32 is measured as it is, TF32 is not."""
    monkeypatch.setattr(module.flags, "read", lambda: {"float32_matmul_precision": "mixed"})
    assert {"float32": ("float32", precision())} == rates("cuda")


@pytest.mark.parametrize(("total", "expected"), [(141e9, 2**31), (16 * 2**30, 2**30), (1e9, 2**28)])
def test_a_copy_on_cuda_is_long_enough_to_be_waited_for(total, expected, monkeypatch):
    """Half a millisecond, in a sixteenth of the memory."""
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (0, int(total)))
    assert expected == module._copy_bytes("cuda:1")
    assert 2**28 == module._copy_bytes("cpu") == module._copy_bytes("mps")
