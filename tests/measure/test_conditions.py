"""What a run stores its timings under is what the next run on the same machine looks them up by; hardware is faked."""
# the expected value stands on the left

from datetime import date
from types import SimpleNamespace

import pytest

from suite.bench.opening import _known_batches
from suite.core.machine import flags, hardware
from suite.core.metrics import measured
from suite.core.records import Cell, RunHeader, VerdictKind
from suite.gate import Store, check, record
from suite.measure import speed

SETTINGS = {"float32_matmul_precision": "highest", "cudnn_allow_tf32": 1}
TODAY = date(2026, 11, 23)


@pytest.fixture
def here(torch, monkeypatch):
    """``here(device)``: where a run on a faked device happens; the host computes with three threads."""

    def found(device):
        monkeypatch.setattr(speed.torch, "get_num_threads", lambda: 16)  # all cores launch; three compute on a CPU
        torch(kind=None if device == "cpu" else device.partition(":")[0], count=2)
        monkeypatch.setattr(flags, "read", lambda: SETTINGS)
        return hardware.where(device)

    return found


def timing(device, metric="speedup", *, share=None, batch=64):
    """A ratio of times under the conditions that a run on the device gives it."""
    return measured(
        Cell(workload="halves", technique="wrapped", device=device), metric, 2.0, low=1.99, high=2.01,
        confidence=0.99, n=40, processes=5, noise=0.005, conditions=speed._conditions(device, batch, sampled(share)),
    )  # fmt: skip


def sampled(share=None):
    """As much of a sample as conditions depend on."""
    return SimpleNamespace(shares={} if share is None else {"baseline": 0.9, "technique": share})


def header(where, **changes):
    fields = {"run": "r1", "started": "2026-11-23T10:00:00Z", "command": "suite bench", "commit": None, "seeds": (0,)}
    return RunHeader(**(fields | {"where": where, "profile": "default", "quiet": True} | changes))


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:1", "xpu", "mps"])
@pytest.mark.parametrize("share", [None, 0.1, 0.9])
def test_what_a_run_records_applies_to_the_next_run_on_the_same_machine(tmp_path, here, device, share):
    """On every kind of device, with or without the host among the conditions: recorded, found, judged."""
    where, found = here(device), timing(device, share=share)
    assert 1 == record([found], header=header(where), directory=tmp_path).added
    (entry,) = Store([tmp_path]).find("halves", where)
    (verdict,) = check(
        measurements=[found], failures=[], expectations=[entry], where=where, planned={found.cell: ("speed",)},
        fresh_processes=True, quiet=True, today=TODAY,
    )  # fmt: skip
    assert VerdictKind.PASS == verdict.kind


def test_the_saturating_batch_that_was_recorded_is_known_to_the_next_run(tmp_path, here):
    """A batch searched anew would be compared with none."""
    where = here("cuda")
    record([timing("cuda", "speedup_saturated", batch=512)], header=header(where), directory=tmp_path)

    class Halves:
        name = "halves"

    assert {"halves": 512} == _known_batches(Store([tmp_path]), [Halves], where)


def test_the_precision_of_convolutions_is_a_condition_on_cuda_alone(here):
    """cuDNN lets convolutions use TF32 by itself, so "float32" is two precisions there."""
    here("cuda")
    assert {"batch": 64, "threads": 1, "matmul": "highest", "cudnn_tf32": 1} == speed._conditions("cuda", 64, sampled())
    assert {"batch": 64, "threads": 3, "matmul": "highest"} == speed._conditions("cpu", 64, sampled())


def test_a_technique_that_the_host_limits_names_the_hosts_processor(here):
    """Below half of the time on the device, its launches are what was timed."""
    here("cuda")
    assert hardware.machine_key("cpu") == speed._conditions("cuda", 1, sampled(0.49))["host"]
    assert "host" not in speed._conditions("cuda", 1, sampled(0.5))
