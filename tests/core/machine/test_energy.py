"""Counters of energy, by a made-up folder of powercap and a fake driver: this machine has neither."""
# the expected value stands on the left

import os
import sys

import pytest

from suite.core.machine.energy import counters_of


def zone(root, name, label, *, joules=1.0, wraps_at=262_143.328):
    """A zone of powercap with its three files."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n", "ascii")
    (folder / "energy_uj").write_text(f"{round(joules * 1e6)}\n", "ascii")
    if wraps_at is not None:
        (folder / "max_energy_range_uj").write_text(f"{round(wraps_at * 1e6)}\n", "ascii")
    return folder


def test_each_package_is_a_counter_in_joules(tmp_path):
    """Its cores and its memory are in it, and psys counts the packages once more."""
    for number in (0, 1):
        zone(tmp_path, f"intel-rapl:{number}", f"package-{number}", joules=10.0 + number)
        zone(tmp_path, f"intel-rapl:{number}:0", "core")
    zone(tmp_path, "intel-rapl:2", "psys")
    zone(tmp_path, "intel-rapl-mmio:0", "package-0")
    found = counters_of("cpu", root=tmp_path)
    assert [10.0, 11.0] == [counter.read() for counter in found.counters]
    assert [pytest.approx(262_143.328)] * 2 == [counter.wraps_at for counter in found.counters]
    assert "intel-rapl:0 package-0, intel-rapl:1 package-1" == str(found)


def test_a_counter_is_read_anew_each_time(tmp_path):
    folder = zone(tmp_path, "intel-rapl:0", "package-0")
    (counter,) = counters_of("cpu", root=tmp_path).counters
    (folder / "energy_uj").write_text("2500000", "ascii")
    assert 2.5 == counter.read()


def test_a_package_that_does_not_say_where_it_starts_again_is_still_a_counter(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", wraps_at=None)
    assert [None] == [counter.wraps_at for counter in counters_of("cpu", root=tmp_path).counters]


@pytest.mark.parametrize("zones", [[], [("intel-rapl:0:0", "core")], [("intel-rapl:0", "psys")]])
def test_a_machine_without_a_package_has_no_counter_and_says_why(tmp_path, zones):
    for name, label in zones:
        zone(tmp_path, name, label)
    found = counters_of("cpu", root=tmp_path)
    assert () == found.counters
    assert f"absent: {tmp_path} has no RAPL counter of a package; virtual machines have none" == str(found)


def test_a_folder_that_is_not_there_is_no_counter(tmp_path):
    """Other systems than Linux."""
    assert "has no RAPL counter" in counters_of("cpu", root=tmp_path / "none").absent


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read every file")
def test_a_counter_that_root_alone_may_read_says_how_to_allow_it(tmp_path):
    """Kernels since 5.10."""
    path = zone(tmp_path, "intel-rapl:0", "package-0") / "energy_uj"
    path.chmod(0)
    assert (
        f"{path} may not be read by this user; allow it with: sudo chmod a+r {path}"
        == counters_of("cpu", root=tmp_path).absent
    )


def test_a_refusal_of_the_system_says_how_to_allow_it(tmp_path, monkeypatch):
    """As for a user who is not root."""
    path = zone(tmp_path, "intel-rapl:0", "package-0") / "energy_uj"
    plain = type(path).read_text

    def refuse(self, *arguments):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return plain(self, *arguments)

    monkeypatch.setattr(type(path), "read_text", refuse)
    assert (
        f"{path} may not be read by this user; allow it with: sudo chmod a+r {path}"
        == counters_of("cpu", root=tmp_path).absent
    )


@pytest.mark.parametrize(("name", "content"), [("energy_uj", "many"), ("max_energy_range_uj", ""), ("energy_uj", None)])
def test_a_counter_that_cannot_be_read_says_why(tmp_path, name, content):
    path = zone(tmp_path, "intel-rapl:0", "package-0") / name
    path.unlink() if content is None else path.write_text(content, "ascii")
    assert counters_of("cpu", root=tmp_path).absent.startswith("RAPL cannot be read: ")


class NVMLError(Exception):
    """The driver refuses."""


class FakeDriver:
    """The binding ``pynvml`` with one GPU that has used ``millijoules``; ``None``: it has no counter."""

    NVMLError = NVMLError

    def __init__(self, millijoules):
        self.millijoules = millijoules

    def nvmlInit(self):  # noqa: N802  # the binding's names
        pass

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid):  # noqa: N802
        raise NVMLError(uuid)

    def nvmlDeviceGetTotalEnergyConsumption(self, _handle):  # noqa: N802
        if self.millijoules is None:
            raise NVMLError("Not Supported")
        return self.millijoules


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_gpu_has_the_total_energy_of_its_board_in_joules():
    """NVML counts millijoules since the driver was loaded, and never starts again."""
    (counter,) = counters_of("cuda:0", nvml=FakeDriver(1500)).counters
    assert (1.5, None, "NVML total energy") == (counter.read(), counter.wraps_at, counter.name)


def test_a_gpu_without_the_counter_says_so():
    """Those before Volta."""
    found = counters_of("cuda", nvml=FakeDriver(None))
    assert "absent: NVML has no counter of energy here: Not Supported" == str(found)


def test_a_driver_that_stops_to_answer_is_an_error_of_the_system():
    driver = FakeDriver(1500)
    (counter,) = counters_of("cuda", nvml=driver).counters
    driver.millijoules = None
    with pytest.raises(OSError, match="NVML does not answer: Not Supported"):
        counter.read()


def test_other_devices_have_no_counter_that_is_known():
    assert "absent: no counter of energy is known for mps" == str(counters_of("mps"))
