"""A run's folder: what is written comes back equal, and a killed or clumsy run loses nothing else."""
# the expected value stands on the left

import json
import math
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.errors import ResultsError
from suite.core.records import (
    Cell,
    CellFailure,
    Expectation,
    Measurement,
    Origin,
    RunHeader,
    Verdict,
    VerdictKind,
    Where,
    XFail,
)
from suite.report.results.folder import RESULTS, RunFolder, latest, point_latest, replace_file, run_name
from suite.report.results.lines import decode, encode

WHERE = Where(
    machine="cpu-x86_64-test-2c", family="cpu-x86_64-avx2", device="cpu", threads=1, versions={"torch": "2.15.0"}
)
HEADER = RunHeader(
    run="2026-11-23T15-04-05-cpu",
    started="2026-11-23T15:04:05+00:00",
    command="suite bench",
    commit="3f9c2ab",
    where=WHERE,
    seeds=(0, 1, 2),
    profile="default",
    quiet=True,
)
CELL = Cell(workload="digits_cnn", technique="amp_bf16", device="cpu")
SPEED = Measurement(
    cell=CELL,
    metric="speedup",
    value=1.5,
    unit="1",
    better="higher",
    tier="family",
    group="speed",
    low=1.4,
    high=1.6,
)
FAILURE = CellFailure(cell=CELL, group="memory", kind="unavailable", reason="no allocator statistics")
VERDICT = Verdict(kind=VerdictKind.PASS, cell=CELL, metric="speedup", group="speed", measurement=SPEED)


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "reports", HEADER)


finite = st.floats(allow_nan=False, allow_infinity=False)
maybe_finite = st.none() | finite
versions = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
dates = st.dates()
names = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,4}", fullmatch=True)
cells = st.builds(Cell, workload=names)
groups = st.sampled_from(["quality", "size", "speed", "memory"])
tiers = st.sampled_from(["exact", "portable", "family", "local"])
better = st.sampled_from(["higher", "lower"])
measurements = st.builds(
    Measurement,
    cell=cells,
    value=finite,
    low=maybe_finite,
    high=maybe_finite,
    noise=maybe_finite,
    confidence=maybe_finite,
    better=better,
    tier=tiers,
    group=groups,
    n=st.integers(),
    seeds=st.lists(st.integers(), max_size=3).map(tuple),
    control=st.none() | st.text(max_size=5),
    suspect=st.none() | st.text(max_size=5),
)
failures = st.builds(CellFailure, cell=cells, group=groups)
origins = st.builds(Origin, date=st.none() | dates, versions=versions, threads=st.none() | st.integers())
expectations = st.builds(
    Expectation,
    value=finite,
    low=maybe_finite,
    high=maybe_finite,
    noise=maybe_finite,
    better=better,
    tier=tiers,
    xfail=st.none() | st.builds(XFail, until=dates),
    only=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    origin=origins,
)
verdicts = st.builds(
    Verdict,
    kind=st.sampled_from(VerdictKind),
    cell=cells,
    group=groups,
    measurement=st.none() | measurements,
    expectation=st.none() | expectations,
    stale=st.booleans(),
)
headers = st.builds(
    RunHeader,
    run=names,
    where=st.builds(
        Where,
        machine=names,
        family=names,
        device=st.sampled_from(["cpu", "cuda:1"]),
        versions=versions,
        data_digests=versions,
    ),
    seeds=st.lists(st.integers(), max_size=3).map(tuple),
    load=st.lists(st.text(max_size=5), max_size=2).map(tuple),
)


@pytest.mark.parametrize("name", ["../../../x", "/x", "..", "", "a/b", "a\\b", "a\nb", "C:x"])
@pytest.mark.parametrize("place", ["machine", "family", "run", "workload"])
def test_a_name_that_leads_elsewhere_is_refused(place, name):
    """`suite history import` would write where a header says, `suite record` where a cell does."""
    if place == "workload":
        line = encode(replace(SPEED, cell=replace(CELL, workload=name)))
    elif place == "run":
        line = encode(replace(HEADER, run=name))
    else:
        line = encode(replace(HEADER, where=replace(WHERE, **{place: name})))
    with pytest.raises(ValueError, match="is no name"):
        decode(line)


@settings(deadline=None, max_examples=100)
@given(record=st.one_of(headers, measurements, failures, verdicts))
def test_any_record_comes_back_equal_from_its_line(record):
    """Encoding loses nothing, and a record is exactly one line."""
    line = encode(record)
    assert record == decode(line)
    assert "\n" not in line


def test_dates_are_iso_and_kinds_are_their_values():
    """The file can be read without this package."""
    entry = Expectation(
        workload="w", technique="t", metric="m", level="any", value=1.0, unit="1", better="higher", tier="exact",
        xfail=XFail(reason="known", until=date(2027, 1, 31)),
    )  # fmt: skip
    plain = json.loads(encode(replace(VERDICT, expectation=entry)))
    assert ("verdict", "pass", "2027-01-31") == (plain["type"], plain["kind"], plain["expectation"]["xfail"]["until"])


def test_the_header_is_the_first_line(folder):
    """A results file begins with what its figures come from."""
    first = (folder.path / RESULTS).read_text().splitlines()[0]
    assert "header" == json.loads(first)["type"]
    assert HEADER == RunFolder.open(folder.path).header


def test_records_come_back_by_their_type(folder):
    """Measurements, failures and verdicts share a file and are read apart."""
    for record in (SPEED, FAILURE, VERDICT):
        folder.append(record)
    again = RunFolder.open(folder.path)
    assert ((SPEED,), (FAILURE,), (VERDICT,)) == (again.measurements(), again.failures(), again.verdicts())


def test_a_later_line_replaces_an_earlier_one_for_the_same_thing(folder):
    """A repeated measurement counts once, in the place where it first came."""
    other = replace(SPEED, metric="speedup_b1")
    for record in (SPEED, other, replace(SPEED, value=2.0), FAILURE, replace(FAILURE, reason="later")):
        folder.append(record)
    assert [("speedup", 2.0), ("speedup_b1", 1.5)] == [(m.metric, m.value) for m in folder.measurements()]
    assert ["later"] == [failure.reason for failure in folder.failures()]


def test_verdicts_on_two_groups_of_a_cell_are_both_kept(folder):
    """The verdict on a group has no metric, so its group tells it apart."""
    for group in ("speed", "memory"):
        folder.append(Verdict(kind=VerdictKind.ERROR, cell=CELL, metric="", group=group))
    assert ["speed", "memory"] == [verdict.group for verdict in folder.verdicts()]


@pytest.mark.parametrize("place", ["folder", "file", "latest link", "latest text"])
def test_a_run_opens_from_its_folder_its_file_or_latest(folder, place):
    """People give whichever path they have at hand."""
    reports = folder.path.parent
    if place == "latest link":
        point_latest(reports, folder.header.run)
    if place == "latest text":
        (reports / "latest").write_text(f"{folder.header.run}\n")
    path = {"folder": folder.path, "file": folder.results}.get(place, reports / "latest")
    assert folder == RunFolder.open(path)


@given(cut=st.integers(min_value=1, max_value=len(encode(SPEED))))
@settings(deadline=None, max_examples=20)
def test_a_line_cut_short_by_a_kill_is_dropped_and_appending_goes_on(tmp_path_factory, cut):
    """Wherever the process died, what came before stays and what comes after is whole."""
    folder = RunFolder.create(tmp_path_factory.mktemp("reports"), HEADER)
    folder.append(FAILURE)
    with folder.results.open("ab") as file:
        file.write(encode(SPEED).encode()[:-cut])
    assert ((), (FAILURE,)) == (folder.measurements(), folder.failures())
    folder.append(VERDICT)
    assert ((), (FAILURE,), (VERDICT,)) == (folder.measurements(), folder.failures(), folder.verdicts())


def test_a_whole_last_line_without_its_end_is_kept(folder):
    """Only the newline was lost: the record is there, also after the next one is appended."""
    with folder.results.open("ab") as file:
        file.write(encode(SPEED).encode())
    assert (SPEED,) == folder.measurements()
    folder.append(FAILURE)
    assert ((SPEED,), (FAILURE,)) == (folder.measurements(), folder.failures())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{broken", "JSON is malformed"),
        ('{"type": "banana"}', "no object with a type among header, measurement"),
        ("[1]", "no object with a type"),
        ('{"type": "failure", "reason": "x"}', "missing required field `cell`"),
        (encode(SPEED).replace('"value": 1.5', '"value": NaN'), "JSON is malformed"),
        (encode(SPEED).replace('"value": 1.5', '"value": true'), "Expected `float`, got `bool` - at `$.value`"),
        (
            encode(SPEED).replace('"tier": "family"', '"tier": "familiar"'),
            "Invalid enum value 'familiar' - at `$.tier`",
        ),
        (encode(SPEED).replace('"unit"', '"units"'), "a Measurement of this version has no 'units'"),
        ("", "Input data was truncated"),
    ],
)
def test_a_broken_line_is_refused_with_file_and_line(folder, line, problem):
    """Nothing but a cut last line is guessed at."""
    with folder.results.open("a") as file:
        file.write(f"{line}\n{encode(FAILURE)}\n")
    with pytest.raises(ResultsError) as caught:
        folder.measurements()
    assert f"{folder.results}:2: " in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, np.float32("nan")])
def test_nan_and_infinity_are_refused_by_name_and_nothing_is_written(folder, bad):
    """JSON has no NaN: a metric without a value is a failure of its cell."""
    before = folder.results.read_bytes()
    with pytest.raises(ResultsError, match=r"digits_cnn-amp_bf16-cpu speedup\.low = (nan|inf)"):
        folder.append(replace(SPEED, low=bad))
    assert before == folder.results.read_bytes()


def test_numbers_of_numpy_are_written_as_plain_numbers(folder):
    """A measurement may hand over what numpy computed."""
    folder.append(replace(SPEED, value=np.float32(1.5), n=np.int64(3)))
    assert (replace(SPEED, n=3),) == folder.measurements()


def test_a_second_run_of_the_same_name_gets_a_suffix(tmp_path):
    """Two runs started in one second never share a folder."""
    names = [RunFolder.create(tmp_path, HEADER).header.run for _ in range(3)]
    assert [HEADER.run, f"{HEADER.run}-2", f"{HEADER.run}-3"] == names
    assert names[2] == RunFolder.open(tmp_path / names[2]).header.run


def test_a_run_cannot_be_named_latest_or_lie_elsewhere(tmp_path):
    """The header's name is the name of a folder, not a path."""
    for name in ("latest", "../outside", "..", ".", ""):
        with pytest.raises(ResultsError, match="cannot name a run"):
            RunFolder.create(tmp_path, replace(HEADER, run=name))


def test_an_unwritable_place_is_refused_with_the_option_that_moves_it(tmp_path):
    """The message names the path and --reports-dir."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError, match=r"cannot write .*file.*--reports-dir"):
        RunFolder.create(tmp_path / "file" / "reports", HEADER)


def test_appending_to_a_folder_that_is_gone_is_refused(folder):
    """A folder deleted under a run is said, not recreated."""
    folder.results.unlink()
    folder.path.rmdir()
    with pytest.raises(ResultsError, match=r"cannot write .*results\.jsonl.*--reports-dir"):
        folder.append(SPEED)


def test_opening_what_is_no_run_says_how_to_get_one(tmp_path):
    """A missing folder, one without results, and a file without a header each have their message."""
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing", tmp_path / "latest"):
        with pytest.raises(ResultsError, match="run `suite bench` first"):
            RunFolder.open(path)
    (tmp_path / "empty" / RESULTS).write_text(encode(SPEED) + "\n")
    with pytest.raises(ResultsError, match=r"results\.jsonl:1: the first line is no run's header"):
        RunFolder.open(tmp_path / "empty")


def test_samples_of_different_lengths_come_back(folder):
    """One row per series, index and value, in the order given."""
    path = folder.write_samples("cell-speed", {"baseline": np.array([3.0, 1.0, 2.0]), "technique": np.array([7])})
    assert folder.path / "raw" / "cell-speed.parquet" == path
    found = folder.read_samples("cell-speed")
    assert ["series", "index", "value"] == list(found.columns)
    assert [("baseline", 0, 3.0), ("baseline", 1, 1.0), ("baseline", 2, 2.0), ("technique", 0, 7.0)] == list(
        found.itertuples(index=False, name=None)
    )


def test_samples_may_be_empty_and_are_replaced(folder):
    """Writing a record's samples again leaves the later ones."""
    folder.write_samples("one", {"a": np.ones(3)})
    folder.write_samples("one", {"a": np.ones(0)})
    assert 0 == len(folder.read_samples("one"))
    folder.write_samples("one", {})
    assert ["series", "index", "value"] == list(folder.read_samples("one").columns)


@pytest.mark.parametrize("record_id", ["cuda:0/../x", "..", "n" * 400, "a(b=0.5,c='d')+e-cpu"])
def test_samples_of_any_record_stay_in_the_raw_folder(folder, record_id):
    """Compositions may hold characters, or be as long, as no file name can."""
    path = folder.write_samples(record_id, {"a": np.ones(1)})
    assert (folder.path / "raw", True) == (path.parent, path.is_file())
    assert 1 == len(folder.read_samples(record_id))


def test_long_record_names_that_differ_at_their_end_have_files_of_their_own(folder):
    """Shortening a name never lets two records share a file."""
    paths = {folder.write_samples("n" * 400 + end, {"a": np.ones(1)}) for end in "xy"}
    assert 2 == len(paths)


def test_samples_of_two_dimensions_or_none_are_refused(folder):
    """The message names the record and what is wrong with it."""
    with pytest.raises(ResultsError, match=r"samples 'cell': 'a' has shape \(2, 2\)"):
        folder.write_samples("cell", {"a": np.ones((2, 2))})
    with pytest.raises(ResultsError, match="no raw samples 'cell'"):
        folder.read_samples("cell")


def test_a_run_is_named_by_time_and_device():
    """The name sorts by time and can be a folder's anywhere."""
    now = datetime(2026, 11, 23, 15, 4, 5)  # noqa: DTZ001  # local time, as a person reads it
    assert "2026-11-23T15-04-05-cpu" == run_name(now, "cpu")
    assert "2026-11-23T15-04-05-cuda-0" == run_name(now, "cuda:0")


def test_latest_points_to_the_run_that_was_set_last(tmp_path):
    """The link is relative, so that the reports folder can be moved."""
    first, second = (RunFolder.create(tmp_path / "reports", HEADER) for _ in range(2))
    for run in (first, second):
        point_latest(tmp_path / "reports", run.header.run)
    (tmp_path / "reports").rename(tmp_path / "moved")
    assert tmp_path / "moved" / second.header.run == latest(tmp_path / "moved")
    assert {"latest", first.header.run, second.header.run} == {p.name for p in (tmp_path / "moved").iterdir()}


def test_latest_is_a_text_file_where_links_are_not_possible(tmp_path, monkeypatch):
    """Some systems let only administrators make links."""
    folder = RunFolder.create(tmp_path, HEADER)
    point_latest(tmp_path, "another")

    def refuse(*_, **__):
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    point_latest(tmp_path, folder.header.run)
    assert f"{folder.header.run}\n" == (tmp_path / "latest").read_text()
    assert (folder.path, False) == (latest(tmp_path), (tmp_path / "latest").is_symlink())


def test_a_missing_or_dangling_latest_says_what_to_run(tmp_path):
    """No run, or one that was deleted: the way out is the same."""
    with pytest.raises(ResultsError, match=r"no run in .*run `suite bench` first"):
        latest(tmp_path)
    point_latest(tmp_path, "deleted")
    with pytest.raises(ResultsError, match=r"points to 'deleted'.*run `suite bench` first"):
        latest(tmp_path)


def test_a_failed_replacement_keeps_the_old_file_and_leaves_no_litter(tmp_path, monkeypatch):
    """Whoever reads sees the old content or the new, never a part."""
    path = tmp_path / "results.csv"
    replace_file(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ResultsError, match=r"cannot write .*results\.csv: No space left on device"):
        replace_file(path, b"new")
    monkeypatch.undo()
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(ResultsError, match="No space left on device"):
        replace_file(path, b"new")
    assert (b"old", [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_importing_the_reports_loads_nothing_heavy():
    """The command line answers at once when it needs no frame."""
    code = (
        "import sys, suite.report, suite.report.frames, suite.report.tradeoffs, suite.report.summary\n"
        "print(sorted({'torch', 'pandas', 'numpy', 'pyarrow', 'tabulate'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == found.stdout.strip()
