"""The edge profile: a cap of memory is read, kept and held against what serving needs; one item at a time."""
# the expected value stands on the left

import argparse

import pytest
import tiny

from suite.bench import edge_profile
from suite.bench.bench import Bench, Plan
from suite.bench.resolved_cell import case
from suite.bench.workers.fresh_processes import Workers
from suite.cli import bench as bench_command
from suite.cli import main
from suite.core.errors import UnavailableError, UsageError
from suite.core.metrics import measured

CAP = 1_000_000


def test_a_cap_is_a_quantity_of_bytes():
    """Written as people write it."""
    assert 256_000_000 == edge_profile.cap(edge_profile.DEFAULT_CAP)
    assert 1024 == edge_profile.cap("1KiB")


@pytest.mark.parametrize("text", ["0", "5ms", "much", "0.1B"])
def test_what_is_no_cap_is_refused(text):
    """Nothing fits in no memory."""
    with pytest.raises(UsageError):
        edge_profile.cap(text)


def test_more_than_the_cap_is_unavailable_and_names_both():
    """As much as the cap fits."""
    edge_profile.require(CAP, CAP, 1)
    with pytest.raises(UnavailableError, match=r"serving batch 1 needs 1\.2 MB of memory, and the cap is 1 MB"):
        edge_profile.require(1_200_000, CAP, 1)


@pytest.fixture
def bench(monkeypatch):
    """A bench under a cap whose workers say that serving needs what ``bench.rise`` holds."""

    def rss(_workers, asked, _base, _technique, *, processes):
        made.asked += processes == 3
        return measured(asked.cell, "peak_rss_rise", made.rise, conditions={"batch": asked.batch})

    monkeypatch.setattr(Workers, "rss", rss)
    with Bench(registry=tiny.registry(), device="cpu", plan=Plan(profile="quick", seeds=1, memory_cap=CAP)) as made:
        made.rise, made.asked = CAP // 2, 0
        yield made


def edge_case(bench, technique="wrapped"):
    return case(bench.registry, bench.registry.find_workload("halves"), technique, "cpu", edge_profile.BATCH)


def test_every_figure_carries_the_cap_and_serves_one_item(bench):
    """So that an expectation without a cap is never compared with it; the need is found once and is a figure."""
    found = [m for group in ("quality", "size", "memory") for m in bench.measure(edge_case(bench), group)]
    assert {CAP} == {m.conditions["memory_cap"] for m in found}
    assert {1} == {m.conditions["batch"] for m in found if "batch" in m.conditions}
    assert [CAP // 2] == [m.value for m in found if m.metric == "peak_rss_rise"]
    assert 1 == bench.asked


def test_a_cell_above_the_cap_is_unavailable_in_every_group(bench):
    """Nothing of it is measured."""
    bench.rise = 2 * CAP
    for group in ("quality", "size", "speed", "memory"):
        with pytest.raises(UnavailableError, match="needs 2 MB of memory, and the cap is 1 MB"):
            bench.measure(edge_case(bench), group)


def parsed(*arguments) -> argparse.Namespace:
    found, _ = main.build_parser().parse_known_args(["bench", *arguments])
    bench_command._settle_edge(found)
    return found


def test_edge_is_one_thread_of_a_cpu_with_a_cap():
    """What the command line says of it reaches pytest."""
    assert "--suite-edge=256MB" in bench_command._pytest_arguments(parsed("--edge"))
    arguments = bench_command._pytest_arguments(parsed("--edge", "--memory", "1MB"))
    assert {"--suite-edge=1MB", "--suite-device=cpu"} <= set(arguments)
    assert not [one for one in bench_command._pytest_arguments(parsed()) if "edge" in one]


@pytest.mark.parametrize(
    "arguments",
    [("--memory", "1MB"), ("--edge", "--threads", "2"), ("--edge", "--device", "cuda"), ("--edge", "--memory", "x")],
)
def test_options_that_contradict_the_edge_are_refused(arguments):
    """A cap without it, several threads, an accelerator, no quantity."""
    with pytest.raises(UsageError):
        parsed(*arguments)
