"""A fresh process receives finished networks and rebuilds the rest of a cell from its name, or says what went wrong."""
# the expected value stands on the left

import math
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.resolved_cell import case
from suite.bench.trained_store import TrainedStore
from suite.bench.workers.fresh_processes import FreshProcessError, Workers, replicated
from suite.bench.workers.protocol import ResidentSet, Speed, WorkerAnswer, WorkerRequest
from suite.core.metrics import measured
from suite.core.records import Cell
from suite.core.transport import from_line, to_line
from suite.measure import counts
from suite.measure.counting import instructions
from suite.measure.speed import SamplingBudget
from suite.registry import REGISTRY

SHORT = SamplingBudget(batch=0.05, single=0.05, latency=0.02, training=0.05, rounds=1)
BOTH = ("inference", "training")
OTHER = Cell(workload="halves", technique="wrapped", device="cpu")
USER_FILE = """
import sys
from dataclasses import replace

import torch
from torch import nn

sys.path.append(TESTS)
import tiny
from suite import classification, technique, workload


class LowRank(nn.Module):
    '''Two thin products in place of a wide one; the rank is whatever the weights need.'''

    def __init__(self, linear, rank):
        super().__init__()
        left, values, right = torch.linalg.svd(linear.weight.detach(), full_matrices=False)
        self.first = nn.Parameter((values[:rank, None] * right[:rank]).contiguous())
        self.second = nn.Parameter(left[:, :rank].contiguous())
        self.bias = linear.bias

    def forward(self, x):
        return x @ self.first.T @ self.second.T + self.bias


@workload(scores=classification(), target=0.9, batch={"cpu": 16})
def from_a_file(seed):
    '''The tiny workload, as a user would declare it.'''
    return tiny.recipe(seed)


@technique(slots=("finish",), runs=False)
def spectral(plain):
    '''Keep as many singular values of the trained weights as hold half of their sum.'''

    def finish(network, tuner):
        values = torch.linalg.svdvals(network.fc1.weight.detach())
        rank = int((values.cumsum(0) < 0.5 * values.sum()).sum()) + 1
        if not tuner.trains:
            raise AssertionError("a worker rebuilds nothing: it is sent what was finished")
        network.fc1 = LowRank(network.fc1, rank)
        return network

    return replace(plain, finish=finish)
"""


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    """A user's file, loaded here as a run loads it, and gone from the registry afterwards."""
    path = tmp_path_factory.mktemp("user") / "mine.py"
    path.write_text(USER_FILE.replace("TESTS", repr(str(Path(tiny.__file__).parent))), "utf-8")
    modules = set(sys.modules)
    REGISTRY.load(str(path))
    yield path
    del REGISTRY._workloads["from_a_file"], REGISTRY._techniques["spectral"]
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) == str(path):
            del sys.modules[name]


@pytest.fixture(scope="module")
def spectral(users):
    """The case of a technique whose structure depends on the trained weights, with both trained networks."""
    del users
    workload = REGISTRY.find_workload("from_a_file")
    store = TrainedStore(registry=REGISTRY, device="cpu")
    found = case(REGISTRY, workload, "spectral", "cpu")
    return found, store.get(workload, REGISTRY.baseline, 0), store.get(workload, found.composition, 0)


@pytest.mark.system
def test_a_worker_measures_the_network_that_was_finished_here(users, spectral):
    """Its structure follows from trained weights, and its class is declared in the user's file: it travels whole."""
    workers = Workers(load=[str(users)])
    try:
        (found,) = workers.speed(*spectral, task(), processes=1)
    finally:
        workers.close()
    assert {"speedup", "speedup_b1", "speedup_vs_channels_last", "throughput", "latency_p50"} <= set(found)
    assert {spectral[0].cell} == {one.cell for one in found.values()}
    assert all(one.value > 0 for one in found.values())
    assert 16 == found["speedup"].conditions["batch"]


def task(**more):
    """Short timings of both parts."""
    return Speed(**({"budget": SHORT, "seed": 1000, "parts": BOTH} | more))


def dying(code, stderr):
    return lambda *_args, **_more: subprocess.CompletedProcess([], code, stdout="", stderr=stderr)


@pytest.fixture
def workers():
    made = Workers()
    yield made
    made.close()


LAST_LINES = {"Traceback\n  somewhere\nRuntimeError: it broke\n\n": "RuntimeError: it broke", "": "it printed nothing"}


@pytest.mark.parametrize("stderr", LAST_LINES)
@pytest.mark.parametrize("code", [1, -9, 0])
def test_a_worker_without_an_answer_is_named_with_its_cell_and_last_line(monkeypatch, spectral, workers, code, stderr):
    """Killed, failed, or gone without a word."""
    monkeypatch.setattr(subprocess, "run", dying(code, stderr))
    with pytest.raises(FreshProcessError) as error:
        workers.speed(*spectral, task(), processes=1)
    assert f"a fresh process for {spectral[0]} ended with {code}: {LAST_LINES[stderr]}" == str(error.value)


def test_a_worker_that_hangs_is_an_error_that_names_the_cell(monkeypatch, spectral, workers):
    """A hung compiler ends one cell and not the run with a traceback."""

    def hang(*args, timeout, **_more):
        raise subprocess.TimeoutExpired(args[0], timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(FreshProcessError, match=r"from_a_file-spectral-cpu.*1800"):
        workers.speed(*spectral, task(), processes=1)


def test_the_folder_of_the_workers_goes_when_they_do(monkeypatch, spectral):
    """Networks and requests lie there only while it is open."""
    monkeypatch.setattr(subprocess, "run", dying(1, ""))
    workers = Workers()
    folder = Path(workers._folder.name)
    with pytest.raises(FreshProcessError):
        workers.rss(*spectral, processes=1)
    assert folder.exists()
    workers.close()
    assert not folder.exists()


@pytest.fixture
def answering(monkeypatch):
    """Workers that answer at once; what each was asked, with its environment."""
    asked = []

    def run(command, *, env, **_more):
        request = Path(command[-1])
        asked.append((from_line(request.read_text("utf-8"), WorkerRequest), env))
        value = 4096 if isinstance(asked[-1][0].task, ResidentSet) else 2.0 / len(asked)
        request.with_suffix(".answer").write_text(to_line(WorkerAnswer(value=value)), "utf-8")
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_each_process_is_asked_with_a_seed_of_its_own_and_this_process_settings(answering, spectral, workers):
    """The order of turns differs between processes; torch's settings do not."""
    workers.speed(*spectral, task(saturating=512, bounds={"speedup": (0.9,)}), processes=3)
    requests = [request for request, _ in answering]
    assert [{"speedup": (0.9,)}] * 3 == [request.task.bounds for request in requests]
    assert 3 == len({request.task.seed for request in requests})
    assert {512} == {request.task.saturating for request in requests}
    assert 1 == requests[0].flags["mkldnn_enabled"]
    assert "threads" not in requests[0].flags  # a worker has those of its quiet environment, whoever asks
    assert 1 == len({request.sent.technique for request in requests})


def test_the_resident_set_is_measured_under_the_default_allocator(answering, spectral, workers, monkeypatch):
    """The quiet process never gives memory back, so that it would show nothing; timings keep it."""
    monkeypatch.delenv("MALLOC_MMAP_MAX_", raising=False)
    found = workers.rss(*spectral, processes=3)
    assert (4096, 3, 0) == (found.value, found.processes, found.noise)
    workers.speed(*spectral, task(), processes=1)
    assert [False, False, False, True] == ["MALLOC_MMAP_MAX_" in env for _, env in answering]


def test_one_process_of_the_resident_set_knows_no_noise(answering, spectral, workers):
    """Its bound is wide enough for a gate all the same."""
    found = workers.rss(*spectral, processes=1)
    assert (1, None) == (found.processes, found.noise)
    assert 1 == len(answering)


def test_compiling_is_timed_with_an_empty_and_then_with_the_filled_cache(answering, spectral, workers):
    """The second process finds what the first one left, and nobody finds either's afterwards."""
    cold, warm = workers.compile(*spectral)
    assert (2.0, 1.0) == (cold.value, warm.value)
    caches = {env["TORCHINDUCTOR_CACHE_DIR"] for _, env in answering}
    assert 1 == len(caches)
    assert not Path(caches.pop()).exists()


def test_instructions_are_counted_under_valgrind_with_capped_libraries(answering, spectral, workers, monkeypatch):
    """The condition of a count is what valgrind and the libraries were held to."""
    commands, run = [], subprocess.run

    def watched(command, **more):
        commands.append(command)
        return run(command, **more)

    monkeypatch.setattr(subprocess, "run", watched)
    monkeypatch.setattr(instructions, "library", lambda folder: folder / "l.so")
    monkeypatch.setattr(counts, "instructions_of", lambda cell, dumps, batch: [(cell, dict(dumps), batch)])
    case, base, technique = spectral
    assert [(case.cell, {}, case.batch)] == workers.instructions(case, base, technique, training=True)
    ((request, environment),) = answering
    assert (True, "valgrind") == (request.task.training, commands[0][0])
    assert instructions.VARIABLES.items() <= environment.items()


# -- over processes ---------------------------------------------------------------------------------------------------


def speedup(value, **more):
    return measured(OTHER, "speedup", value, **({"low": value - 0.01, "high": value + 0.01, "n": 100} | more))


def over(values, **more):
    own, *others = values
    (one,) = replicated([speedup(own, **more)], [{"speedup": speedup(value)} for value in others])
    return one


@given(values=st.lists(st.floats(0.1, 10), min_size=3, max_size=9))
def test_a_replicated_figure_is_the_mean_over_processes_with_their_spread(values):
    """Of the logarithms; the interval is centred on it, holds no negative ratio and counts this process too."""
    one = over(values)
    logs = [math.log(value) for value in values]
    assert pytest.approx(math.exp(mean(logs))) == one.value
    assert len(values) == one.processes
    assert pytest.approx(stdev(logs)) == one.noise
    assert pytest.approx(one.value) == math.sqrt(one.low * one.high)
    assert 0 < one.low
    assert one.low <= one.value <= one.high


def test_the_interval_over_processes_is_students_t():
    """Three processes at e to the power of 1, 2 and 3 hundredths: 9.925 standard errors of the logarithms at 99 %."""
    one = over([math.exp(0.01), math.exp(0.02), math.exp(0.03)])
    low, high = (0.02 + sign * 0.01 * 9.925 / math.sqrt(3) for sign in (-1, 1))
    assert pytest.approx((low, high), abs=1e-5) == (math.log(one.low), math.log(one.high))
    assert 0.99 == one.confidence


@pytest.mark.parametrize("values", [[1.0], [1.0, 3.0], [1.0, 3.0, math.inf]])
def test_fewer_than_three_usable_processes_say_nothing_of_a_spread(values):
    """The figure stays what this process measured, with the interval within it."""
    assert speedup(1.0) == over(values)


def test_a_metric_that_no_other_process_has_stays_as_it_is():
    """Every figure is replicated by itself."""
    own = [speedup(2.0), measured(OTHER, "latency_p50", 0.1)]
    others = [{"speedup": speedup(value)} for value in (2.1, 2.2)]
    found = replicated(own, others)
    assert ["speedup", "latency_p50"] == [one.metric for one in found]
    assert (pytest.approx(2.1, rel=1e-3), own[1]) == (found[0].value, found[1])


def test_processes_that_differ_by_more_than_half_are_suspect():
    """One of them served something else, or the machine did."""
    assert over([2.0, 2.1, 2.9]).suspect is None
    assert "processes of the same cell differ: 2 to 42" in over([2.0, 2.1, 42.0]).suspect


@pytest.mark.parametrize(("count", "expected"), [(0, None), (1, None), (2, "page faults"), (3, "page faults")])
def test_a_figure_is_suspect_once_most_of_its_processes_are(count, expected):
    """One disturbed process of three is what replication is for."""
    suspects = [*["page faults"] * count, *[None] * (3 - count)]
    own, *others = (speedup(2.0, suspect=suspect) for suspect in suspects)
    (one,) = replicated([own], [{"speedup": other} for other in others])
    assert expected == one.suspect


def test_processes_under_other_conditions_are_no_replicas():
    """Another number of threads, or a launch-bound process, times something else; too few are left for a spread."""
    own, alike, other = (speedup(1.0, conditions={"threads": n}) for n in (1, 1, 2))
    (one,) = replicated([own], [{"speedup": found} for found in (alike, alike, other)])
    assert 3 == one.processes
    assert [own] == replicated([own], [{"speedup": found} for found in (alike, other, other)])
