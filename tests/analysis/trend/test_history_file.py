"""The history's files: every figure once, whoever writes at once, and nothing of what is there is lost."""
# the expected value stands on the left

import json
import multiprocessing
from dataclasses import replace

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import ResultsError
from suite.core.records import Cell, Verdict, VerdictKind
from suite.report.history.entries import HistoryEntry, decode, encode, of_run
from suite.report.history.file import append, path_of, read, remember
from suite.report.results.folder import RunFolder

CELL = Cell(workload="digits_cnn", technique="baseline", device="cpu")
ENTRY = HistoryEntry(
    run="one", started="2026-11-23T15:04:05+00:00", commit="3f9c2ab", dirty=False, versions={"torch": "2.15.0"},
    profile="quick", quiet=True, threads=1, cell=CELL, metric="speedup", value=2.0, unit="1", better="higher",
)  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """The folder of a run with one verdict and one reused figure."""
    found = samples.measured(
        "baseline", "accuracy", 0.99, low=0.98, high=0.995, noise=0.001, conditions={"batch": 64}, seeds=(0, 1, 2)
    )
    header = samples.header(commit="3f9c2ab-dirty")
    header = replace(header, processes=5, where=replace(header.where, data_digests={"digits_cnn": "d1", "other": "d2"}))
    folder = RunFolder.create(tmp_path / "reports", header)
    folder.append(
        found,
        samples.measured("baseline", "macs", 2e6, reused=True),
        Verdict(kind=VerdictKind.PASS, cell=found.cell, metric="accuracy", group="quality", measurement=found),
    )
    return folder


def test_a_run_becomes_one_entry_for_each_figure_of_its_own(run):
    """What a reused network measured belongs to the run that trained it."""
    (entry,) = of_run(run)
    assert ("3f9c2ab", True, "pass") == (entry.commit, entry.dirty, entry.verdict)
    assert (0.99, 0.98, 0.995, 0.001) == (entry.value, entry.low, entry.high, entry.noise)
    assert {"batch": 64} == entry.conditions
    assert (samples.header().run, CELL, "accuracy") == entry.key
    assert (3, 1, "d1") == (entry.seeds, entry.processes, entry.data)


@pytest.mark.parametrize(("answered", "kept"), [(1, 1), (3, 5), (5, 5)])
def test_an_entry_keeps_the_processes_that_were_planned(tmp_path, answered, kept):
    """How many answered, or were asked once more, is a matter of the outcome: no other series for that."""
    folder = RunFolder.create(tmp_path, samples.header(processes=5))
    folder.append(samples.measured("baseline", "speedup", 1.0, processes=answered))
    (entry,) = of_run(folder)
    assert (None, kept, None) == (entry.seeds, entry.processes, entry.data)


def test_a_line_without_the_fields_that_came_later_still_decodes():
    """Seeds, processes and data of such runs are not known."""
    plain = json.loads(encode(ENTRY))
    for name in ("seeds", "processes", "data"):
        del plain[name]
    assert ENTRY == decode(json.dumps(plain).encode())


def test_the_same_run_is_never_added_twice(run, tmp_path):
    """Importing its folder again changes no byte."""
    path, added = remember(run, tmp_path)
    before = path.read_bytes()
    assert (1, path_of(tmp_path, "cpu-x86_64-test-2c")) == (added, path)
    assert (path, 0) == remember(run, tmp_path)
    assert before == path.read_bytes()


def test_a_resumed_run_adds_what_it_lacked(tmp_path):
    """The same run with further metrics."""
    path = tmp_path / "machine.jsonl"
    assert 1 == append(path, [ENTRY])
    assert 1 == append(path, [ENTRY, replace(ENTRY, metric="macs")])
    assert ["speedup", "macs"] == [entry.metric for entry in read(path)[0]]


def test_a_torn_last_line_is_kept_and_passed_over_with_a_remark(tmp_path):
    """What comes after it stands on a line of its own."""
    path = tmp_path / "machine.jsonl"
    torn = encode(ENTRY)[:40]
    path.write_bytes(encode(ENTRY) + torn)
    assert 1 == append(path, [replace(ENTRY, run="two")])
    entries, (remark,) = read(path)
    assert ["one", "two"] == [entry.run for entry in entries]
    assert remark.startswith(f"{path}:2: passed over")
    assert torn in path.read_bytes().splitlines()


def test_no_file_is_an_empty_history(tmp_path):
    """The first run of a machine."""
    assert ([], []) == read(tmp_path / "none.jsonl")


def test_a_history_that_cannot_be_written_is_one_sentence(tmp_path):
    """A file stands where its folder should."""
    (tmp_path / "history").write_text("", "utf-8")
    with pytest.raises(ResultsError, match="cannot add to the history"):
        append(path_of(tmp_path, "machine"), [ENTRY])


def write(path, name):
    for number in range(5):
        append(path, [replace(ENTRY, run=name, metric=f"m{number}"), replace(ENTRY, run="shared", metric=f"m{number}")])


def test_several_writers_at_once_lose_and_double_nothing(tmp_path):
    """Three processes with ten entries each, five of them the same in all."""
    path = tmp_path / "machine.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write, args=(path, f"run{index}")) for index in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    entries, remarks = read(path)
    assert [] == remarks
    assert 20 == len(entries) == len({entry.key for entry in entries})


@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    low=st.none() | st.floats(-1, 1),
    commit=st.none() | st.text(),
)
def test_an_entry_survives_its_line(value, low, commit):
    """Figures in full, one line each, whatever stands in a name."""
    entry = replace(ENTRY, value=value, low=low, commit=commit)
    line = encode(entry)
    assert entry == decode(line)
    assert 1 == len(line.splitlines())
