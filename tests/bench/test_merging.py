"""The parts of a run as one run: the same table, each cell once, environments apart, and a gate over the whole."""
# the expected value stands on the left

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import CONTROL, PRUNED, RUN, UNAVAILABLE, figures, header

from suite.bench.merging import merged, read, write
from suite.cli.main import main
from suite.core.errors import ResultsError
from suite.core.records import Duration, GroupEnd, Measurement, RunEnd, Verdict, VerdictKind
from suite.report import load
from suite.report.endings import unfinished
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write as write_tables

NAMED = [
    word for name in ("baseline", "static_int8", PRUNED, CONTROL, "pure_fp16") for word in ("--technique", f"'{name}'")
]
COMMAND = " ".join(["suite bench --workload digits_cnn --device cpu", *NAMED])
TECHNIQUES = ("baseline", "static_int8", PRUNED, CONTROL, "pure_fp16")


def of(technique):
    """The records of one cell: what was measured, with verdicts, durations and ends of all groups."""
    own = [one for one in RUN if one.cell.technique == technique]
    cell = own[0].cell if own else UNAVAILABLE.cell
    judged = [
        Verdict(kind=VerdictKind.PASS, cell=cell, metric=one.metric, group=one.group, measurement=one) for one in own
    ]
    failed = [] if own else [replace(UNAVAILABLE, group=group) for group in ("quality", "size", "speed", "memory")]
    ends = [
        record for group in ("quality", "size", "speed", "memory")
        for record in (
            Duration(cell=cell, group=group, seconds=1.0),
            GroupEnd(cell=cell, group=group, metrics=sum(one.group == group for one in own)),
        )
    ]  # fmt: skip
    return [*own, *failed, *judged, *ends]


def run(path, techniques, *, name, shard="", whole=True, command=COMMAND, **fields):
    """A run of some cells."""
    groups = 4 * len(techniques)
    folder = RunFolder.create(path, header(run=name, shard=shard, command=command, groups=groups, **fields))
    folder.append(*(record for technique in techniques for record in of(technique)))
    if whole:
        folder.end(RunEnd(groups=groups, done=groups, whole=True, code=0))
    return folder.path


def shards(path, deal, *, command=COMMAND, **fields):
    """The same cells in parts; ``deal`` holds the part of each."""
    count = max(deal)
    return [
        run(
            path, [technique for technique, part in zip(TECHNIQUES, deal, strict=True) if part == number],
            name=f"part-{number}", shard=f"{number}/{count} of abc123", command=f"{command} --shard {number}/{count}",
            **fields,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


@settings(max_examples=20)  # of 150; each writes five folders and ten tables
@given(deal=st.lists(st.integers(1, 3), min_size=5, max_size=5).filter(lambda deal: set(deal) == {1, 2, 3}))
def test_the_merged_folder_gives_the_same_table_as_one_run(tmp_path_factory, deal):
    """However the cells were dealt out: same rows, same figures, same front."""
    path = tmp_path_factory.mktemp("reports")
    (found,) = merged(read(shards(path, deal)))
    folder = write(found, path / "out")
    one = RunFolder.open(run(path, TECHNIQUES, name="one"))
    tables = [
        [sorted(file.read_text("utf-8").splitlines()) for file in write_tables(each)[:2]] for each in (one, folder)
    ]
    assert tables[0] == tables[1]
    assert ([], "") == (list(found.notes), found.problem)
    assert one.header.groups == folder.header.groups


def test_the_command_merges_judges_and_ends_the_run(tmp_path, capsys):
    """A whole gate that passes; the folder loads without a remark."""
    out = tmp_path / "out"
    assert 0 == main(["merge", *map(str, shards(tmp_path, [1, 1, 2, 2, 2])), "--out", str(out)])
    folder = RunFolder.open(out / "latest")
    assert "" == unfinished(folder)
    assert "exit code 0" in capsys.readouterr().out
    assert [] == load(folder.path).attrs["notes"]
    assert (folder.path / "tradeoffs.md").is_file()


def test_a_shard_that_is_missing_is_no_pass(tmp_path, capsys):
    """Its number is said; what is there is merged all the same."""
    first, *_ = shards(tmp_path, [1, 1, 2, 2, 2])
    assert 12 == main(["merge", str(first), "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert "metric groups were not measured" in said
    assert unfinished(RunFolder.open(tmp_path / "out" / "latest"))


def test_a_planned_cell_that_no_part_measured_is_no_pass(tmp_path, capsys):
    """All shards are there, but one lacks a cell of the plan."""
    command = f"{COMMAND} --technique cosine"
    parts = [
        run(tmp_path, TECHNIQUES[start::2], name=f"p{start}", shard=f"{start + 1}/2 of abc", command=command)
        for start in range(2)
    ]
    assert 12 == main(["merge", *map(str, parts), "--out", str(tmp_path / "out")])
    assert "the first is digits_cnn-cosine" in capsys.readouterr().err


def test_a_part_that_failed_fails_the_whole(tmp_path):
    """No exit code becomes better by merging."""
    first, second = shards(tmp_path, [1, 1, 2, 2, 2])
    folder = RunFolder.open(second)
    folder.append(RunEnd(groups=12, done=12, whole=True, code=1))
    assert 1 == main(["merge", str(first), str(second), "--out", str(tmp_path / "out")])


@pytest.mark.parametrize(
    ("codes", "told", "expected"),
    [((10, 1), 1, 1), ((1, 11), 11, 11), ((10, 12), 12, 12), ((4, 1), 4, 11)],
)
def test_the_worst_exit_code_of_all_parts_counts(tmp_path, capsys, codes, told, expected):
    """In whatever order they are given; one of pytest's own is a set-up that cannot be used."""
    parts = shards(tmp_path, [1, 1, 2, 2, 2])
    for path, code in zip(parts, codes, strict=True):
        RunFolder.open(path).append(RunEnd(groups=8, done=8, whole=True, code=code))
    assert expected == main(["merge", *map(str, parts), "--out", str(tmp_path / "out")])
    assert f"ended with exit code {told}" in capsys.readouterr().err


def test_a_part_that_failed_is_worse_than_a_whole_that_lacks_parts(tmp_path):
    """12 of the whole does not hide the 1 of a part."""
    first, _ = shards(tmp_path, [1, 1, 2, 2, 2])
    RunFolder.open(first).append(RunEnd(groups=8, done=8, whole=True, code=1))
    assert 1 == main(["merge", str(first), "--out", str(tmp_path / "out")])


@pytest.mark.parametrize("other", ["--expect=off", "--expect=report", "--gate-tier exact", "--partial"])
@pytest.mark.parametrize("first", [True, False])
def test_parts_that_were_asked_for_different_things_are_refused(tmp_path, capsys, other, first):
    """Else the options of one of them would decide whether the other's verdicts fail."""
    commands = (COMMAND, f"{COMMAND} {other}")[:: 1 if first else -1]
    parts = [
        run(tmp_path, TECHNIQUES[start::2], name=f"p{start}", shard=f"{start + 1}/2 of abc", command=command)
        for start, command in enumerate(commands)
    ]
    assert 11 == main(["merge", *map(str, parts), "--out", str(tmp_path / "out")])
    assert f"were asked for different things: {other.partition('=')[0].partition(' ')[0]} " in capsys.readouterr().err


def test_a_shard_that_is_missing_is_no_pass_of_a_report_either(tmp_path, capsys):
    """Its table is not that of the whole run."""
    first, *_ = shards(tmp_path, [1, 1, 2, 2, 2], command=f"{COMMAND} --expect=report")
    assert 12 == main(["merge", str(first), "--out", str(tmp_path / "out")])
    assert "not the whole run" in capsys.readouterr().err


def test_a_part_without_an_exit_code_is_no_pass(tmp_path, capsys):
    """It was killed before it had one."""
    parts = shards(tmp_path, [1, 1, 2, 2, 2])
    RunFolder.open(parts[0]).append(RunEnd(groups=8, done=8, whole=True, code=None))
    assert 12 == main(["merge", *map(str, parts), "--out", str(tmp_path / "out")])
    assert "ended with no exit code" in capsys.readouterr().err


def test_a_part_that_was_cut_short_is_no_pass(tmp_path, capsys):
    """Its cells may lack metrics."""
    parts = shards(tmp_path, [1, 1, 2, 2, 2], whole=False)
    assert 12 == main(["merge", *map(str, parts), "--out", str(tmp_path / "out")])
    assert "unfinished" in capsys.readouterr().err


def test_a_cell_that_is_in_two_parts_counts_once_and_is_told(tmp_path):
    """The values of the part that began first are taken."""
    paths = [
        run(tmp_path, ["baseline", "static_int8"], name="a", started="2026-01-01T00:00:00+00:00"),
        run(tmp_path, ["static_int8", PRUNED], name="b", started="2026-01-02T00:00:00+00:00"),
    ]
    (found,) = merged(read(reversed(paths)))
    assert 1 == len(found.notes)
    assert "static_int8" in found.notes[0]
    assert str(paths[1]) in found.notes[0]
    folder = write(found, tmp_path / "out")
    assert 12 == folder.header.groups
    assert len({(one.cell, one.metric) for one in folder.measurements()}) == len(folder.measurements())


def test_a_complete_group_is_taken_before_one_that_was_cut(tmp_path):
    """Even if the cut one began first."""
    cut = RunFolder.create(tmp_path, header(run="a", started="2026-01-01T00:00:00+00:00", command=COMMAND, groups=4))
    cut.append(replace(of("static_int8")[0], value=0.5))
    whole = run(tmp_path, ["static_int8"], name="b", started="2026-01-02T00:00:00+00:00")
    (found,) = merged(read([cut.path, whole]))
    assert of("static_int8")[0].value == write(found, tmp_path / "out").measurements()[0].value


@pytest.mark.parametrize("other", ["machine", "versions", "commit"])
def test_other_machines_versions_and_code_become_runs_of_their_own(tmp_path, other):
    """Their figures do not stand in one table."""
    where = header().where
    changed = {
        "machine": {"where": replace(where, machine="other")},
        "versions": {"where": replace(where, versions={"torch": "9"})},
        "commit": {"commit": "fedcba9"},
    }[other]
    paths = [run(tmp_path, ["baseline"], name="a"), run(tmp_path, ["static_int8"], name="b", **changed)]
    assert 2 == len(merged(read(paths)))
    assert 12 == main(["merge", *map(str, paths), "--out", str(tmp_path / "out")])
    assert 2 == len(list((tmp_path / "out").glob("*/results.jsonl"))) - 1  # and that of `latest`


def test_shards_of_different_plans_and_runs_of_other_data_are_refused(tmp_path):
    """A cell could be in none of them."""
    paths = [
        run(tmp_path, ["baseline"], name="a", shard="1/2 of aaa"),
        run(tmp_path, [PRUNED], name="b", shard="2/2 of bbb"),
    ]
    with pytest.raises(ResultsError, match="shards of different plans"):
        merged(read(paths))
    data = [replace(header().where, data_digests={"digits_cnn": digest}) for digest in ("one", "two")]
    paths = [run(tmp_path, ["baseline"], name=f"d{number}", where=where) for number, where in enumerate(data)]
    with pytest.raises(ResultsError, match="digits_cnn is 'one' in d0 and 'two' in d1"):
        merged(read(paths))


def test_the_same_folder_twice_counts_once_and_its_copy_is_told(tmp_path):
    """A mistake of the command line adds nothing."""
    path = run(tmp_path, ["baseline"], name="a")
    assert 1 == len(read([path, path]))
    shutil.copytree(path, tmp_path / "copy")
    (found,) = merged(read([path, tmp_path / "copy"]))
    assert 1 == len(found.notes)


def sampled(path, value, *, name, whole):
    """A run of one timing with raw samples, all of one value; without the timing itself if the run was killed."""
    import numpy as np

    timing = next(one for one in of("static_int8") if isinstance(one, Measurement) and one.metric == "speedup")
    folder = RunFolder.create(path, header(run=name, started=f"2026-01-0{name}T00:00:00+00:00", groups=1))
    kept = folder.keep_samples(timing.cell, "inference", {"a": np.full(3, value)})
    if whole:
        folder.append(replace(timing, samples=kept), GroupEnd(cell=timing.cell, group=timing.group, metrics=1))
        folder.end(RunEnd(groups=1, done=1, whole=True, code=0))
    return folder.path, kept


@pytest.mark.parametrize("first", [True, False], ids=["twice", "killed"])
def test_raw_samples_come_from_the_part_whose_values_are_taken(tmp_path, first):
    """A run that was killed left samples of the same name, but no value."""
    one, name = sampled(tmp_path, 1.0, name="1", whole=first)
    other, _ = sampled(tmp_path, 2.0, name="2", whole=True)
    (found,) = merged(read([one, other]))
    kept = write(found, tmp_path / "out").read_samples(name)
    assert {1.0 if first else 2.0} == set(kept["value"])


def test_what_a_running_part_writes_meanwhile_is_left_for_the_next_merge(tmp_path):
    """The lines that were read are taken, and no others."""
    path = run(tmp_path, ["baseline"], name="a", whole=False)
    (found,) = merged(read([path]))
    count = len(RunFolder.open(path).measurements())
    RunFolder.open(path).append(*of("static_int8"))
    assert count == len(write(found, tmp_path / "out").measurements())


def test_a_part_that_becomes_shorter_leaves_no_folder(tmp_path):
    """Half a run would look like a whole one."""
    path = run(tmp_path, ["baseline"], name="a")
    (found,) = merged(read([path]))
    (path / "results.jsonl").write_text((path / "results.jsonl").read_text("utf-8").split("\n")[0] + "\n", "utf-8")
    with pytest.raises(ResultsError, match="became shorter"):
        write(found, tmp_path / "out")
    assert [] == list((tmp_path / "out").iterdir())


def test_a_run_that_pytest_started_cannot_be_judged_as_a_whole(tmp_path, capsys):
    """Its options are not known."""
    path = run(tmp_path, ["baseline"], name="a", command="pytest --pyargs suite.bench.benchmarks")
    assert 11 == main(["merge", str(path), "--out", str(tmp_path / "out")])
    assert "only runs of `suite bench` can be merged" in capsys.readouterr().err


PRICES = 'currency = "EUR"\n[hour]\ncpu-x86_64-test-2c = 3.6\nelsewhere = 7.2\n'
TIMED = figures("static_int8", throughput=2000.0)  # a million items take 500 s


def priced_parts(path, *, named=("", ""), **fields):
    """Two shards, of which the first has a throughput; ``named`` are the files of prices in their commands."""
    deal = [TECHNIQUES[:2], TECHNIQUES[2:]]
    paths = [
        run(
            path, own, name=f"part-{number}", shard=f"{number}/2 of abc123",
            command=f"{COMMAND} --shard {number}/2{f' --prices {file}' if file else ''}", **fields,
        )
        for number, (own, file) in enumerate(zip(deal, named, strict=True), 1)
    ]  # fmt: skip
    RunFolder.open(paths[0]).append(*TIMED, RunEnd(groups=8, done=8, whole=True, code=0))
    return list(map(str, paths))


def costs_of(out):
    """The cost of a million items of each merged run, by machine."""
    found = {}
    for path in sorted(out.glob("*-merged*")):
        rows = pd.read_csv(path / "tradeoffs.csv").set_index("technique")
        found[RunFolder.open(path).header.where.machine] = rows.get("cost_per_million", {}).get("static_int8")
    return found


@pytest.mark.parametrize("source", ["option", "parts", "setting"])
def test_a_merged_run_has_costs_from_the_option_the_parts_or_the_setting(tmp_path, monkeypatch, source):
    """500 s at a thousandth of a euro a second; the heading names the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.toml").write_text(PRICES, "utf-8")
    if source == "setting":
        (tmp_path / "pyproject.toml").write_text('[tool.tradeoff-suite]\nprices = "prices.toml"', "utf-8")
    parts = priced_parts(tmp_path, named=("prices.toml",) * 2 if source == "parts" else ("", ""))
    option = ["--prices", "prices.toml"] if source == "option" else []
    assert 0 == main(["merge", *parts, "--out", "out", *option])
    assert {"cpu-x86_64-test-2c": pytest.approx(0.5)} == costs_of(tmp_path / "out")
    said = (RunFolder.open(tmp_path / "out" / "latest").path / "tradeoffs.md").read_text("utf-8")
    assert "- prices: EUR 3.6 an hour of cpu-x86_64-test-2c (prices.toml)" in said


def test_each_machine_of_a_merge_has_its_own_price(tmp_path, monkeypatch):
    """Parts of two machines become two runs; an hour of the second one costs twice as much."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.toml").write_text(PRICES, "utf-8")
    other = replace(header().where, machine="elsewhere")
    parts = [*priced_parts(tmp_path), *priced_parts(tmp_path / "other", where=other)]
    assert 0 == main(["merge", *parts, "--out", "out", "--prices", "prices.toml"])
    assert {"cpu-x86_64-test-2c": pytest.approx(0.5), "elsewhere": pytest.approx(1.0)} == costs_of(tmp_path / "out")


def test_prices_that_cannot_be_used_cost_a_line_and_no_verdict(tmp_path, monkeypatch, capsys):
    """A file that is not here, several files, and a machine without a price."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.toml").write_text("[hour]\nelsewhere = 1", "utf-8")
    told = {
        ("gone.toml", "gone.toml"): "cannot read gone.toml",
        ("prices.toml", "gone.toml"): "several files of prices, prices.toml, gone.toml; choose with --prices",
        ("prices.toml", "prices.toml"): "prices.toml:1: no price of an hour of cpu-x86_64-test-2c",
    }
    for number, (named, problem) in enumerate(told.items()):
        parts = priced_parts(tmp_path / str(number), named=named)
        assert 0 == main(["merge", *parts, "--out", f"out-{number}"])
        said = capsys.readouterr().err
        assert problem in said
        assert "; costs are left out" in said
        assert {"cpu-x86_64-test-2c": None} == costs_of(tmp_path / f"out-{number}")


def test_a_file_of_prices_that_is_given_and_cannot_be_read_leaves_no_folder(tmp_path, capsys):
    """It is read before anything is written."""
    assert 11 == main(["merge", *priced_parts(tmp_path), "--out", str(tmp_path / "out"), "--prices", "gone.toml"])
    assert "cannot read gone.toml" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
