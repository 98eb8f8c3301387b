"""`suite doctor` on hardware that is not here."""
# the expected value stands on the left

import tomllib
from pathlib import Path

import pytest

from suite.cli import doctor
from suite.core.machine import nvml
from suite.measure.ceilings import Ceilings


@pytest.fixture
def on(monkeypatch):
    """``on(device)``: the lines for a device whose rates and needs are taken as known."""

    def lines(device):
        monkeypatch.setattr(doctor.hardware, "resolve_device", lambda _: device)
        for name in ("machine_key", "family"):
            monkeypatch.setattr(doctor.hardware, name, lambda device: device)
        monkeypatch.setattr(doctor, "missing_need", lambda *_: None)
        rates = Ceilings(machine=device, threads=1, copy=4e12, gemm={"float32": 5e13})
        monkeypatch.setattr(doctor, "ceilings", lambda _: rates)
        return list(doctor.lines())

    return lines


def test_a_gpu_is_told_with_its_driver_limits_and_mig(on, monkeypatch):
    """As NVML says it, below the versions."""
    found = {"nvml": "answers", "driver": "580.95", "power": "limit 700 W"}
    monkeypatch.setattr(nvml, "describe", lambda device: found if device == "cuda" else {})
    lines = on("cuda")
    assert ["nvml      answers", "driver    580.95", "power     limit 700 W"] == lines[4:7]
    assert not [line for line in on("cpu") if line.startswith("nvml")]


def test_a_gpu_that_nobody_looks_at_is_told_with_the_command_that_helps(on, monkeypatch, torch):
    """Without the binding clocks, heat and other processes stay unseen."""
    torch(kind="cuda")
    monkeypatch.setattr(nvml, "_binding", lambda: None)
    monkeypatch.setattr(doctor.hardware, "check_torchvision", lambda: None)
    assert f"nvml      {nvml.NO_BINDING}" in on("cuda")


def test_every_extra_has_a_module_that_tells_whether_it_is_there():
    """An extra that is added to pyproject.toml, and not here, would be missed in silence."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["optional-dependencies"]) - {"all", "runtimes"} == set(doctor.EXTRAS)


def test_missing_extras_come_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in ("optuna", "ruptures") else object())
    assert "missing history, search: pip install 'tradeoff-suite[history,search]'" == doctor._extras()
    monkeypatch.setattr(doctor, "find_spec", lambda _: object())
    assert "all" == doctor._extras()
