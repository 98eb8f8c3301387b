"""Which processes compute on an accelerator, asked without loading torch where that is possible."""

import sys
from pathlib import Path

import pytest

from suite.core.machine import child, hardware


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The devices of a Linux without a driver or a torch backend of another package; torch would say ``cuda``."""
    for name in ("null", "nvme0", "tty"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(child, "NODES", tmp_path)
    monkeypatch.setattr(child, "entry_points", lambda **_: [])
    monkeypatch.setattr(hardware, "resolve_device", lambda _: "cuda")
    return tmp_path


@pytest.mark.usefixtures("nodes")
def test_without_a_device_of_a_driver_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "resolve_device", lambda _: pytest.fail("loads torch"))
    assert not child.on_accelerator("auto")
    assert not child.on_accelerator("cpu")


@pytest.mark.parametrize("name", ["nvidia0", "nvidiactl", "kfd", "dri", "dxg", "accel0", "nvmap"])
def test_a_device_of_a_driver_lets_torch_decide(nodes: Path, name: str) -> None:
    (nodes / name).touch()
    assert child.on_accelerator("auto")


@pytest.mark.usefixtures("nodes")
def test_a_torch_backend_of_another_package_lets_torch_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "entry_points", lambda group: [group])
    assert child.on_accelerator("auto")


@pytest.mark.usefixtures("nodes")
def test_a_device_that_is_named_is_always_looked_for() -> None:
    assert child.on_accelerator("gpu")


@pytest.mark.usefixtures("nodes")
def test_another_system_lets_torch_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert child.on_accelerator("auto")


def test_an_unreadable_folder_lets_torch_decide(nodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "NODES", nodes / "missing")
    assert child.on_accelerator("auto")


@pytest.mark.parametrize(
    ("code", "said"), [(0, "with exit code 0"), (3, "with exit code 3"), (-11, "by SIGSEGV"), (-99, "by signal 99")]
)
def test_how_a_process_ended_is_said_by_its_name(code: int, said: str) -> None:
    """A number of a signal says nothing to most."""
    assert said == child.ending(code)
