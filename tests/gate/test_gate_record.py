"""Recording: merged, never truncated, atomic, and the same bytes the second time."""
# the expected value stands on the left

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from expect_samples import CELL, FAMILY, MACHINE, TECHNIQUE, UNTIMED, all_metrics, here, measurement, run_header
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.errors import ExpectationFileError, SuiteError, UsageError
from suite.core.metrics import metric, tiers
from suite.core.records import Expectation, Origin, XFail
from suite.gate import Recorded, Storing, load, load_all, record, skipped_lines
from suite.gate.files.files import level_families
from suite.gate.files.merge import merge
from suite.gate.files.parse import parse
from suite.gate.files.write import one_writer, replace_files
from suite.gate.sound import fault

SIZE = measurement("parameters", 100.0)
QUALITY = measurement("accuracy", 0.97, seeds=(0, 1), noise=0.001)
SPEED = measurement(
    "speedup", 2.24, low=2.2, high=2.3, noise=0.0075, processes=5, conditions={"threads": 1, "batch": 64}
)
LOCAL = measurement("latency_p50", 0.01)
OTHER = replace(SIZE, cell=replace(CELL, technique="baseline"))
ANY = Path("any/digits_cnn.toml")
WITH_COMMENTS = """# reviewed by hand
schema = 1  # the only one

[origin]  # where from
commit = "old"
versions = { python = "3.11", torch = "2.15.0" }  # both matter
data_digest = "d1"

# zebra comes first on purpose
["zebra".parameters]
value = 7  # seven
low = 7
high = 7
unit = "1"
better = "lower"
tier = "exact"

# about the next
["baseline".parameters]
tier = "exact"  # order of one's own
value = 90      # measured
high = 90
low = 90
unit = "1"
better = "lower"
only = ["cpu"]
xfail = { reason = "known", until = 2027-01-01}

# the end
"""


def go(folder, *measured, **changes):
    only = changes.pop("only", ())
    return record(measured, header=run_header(**changes), directory=folder, only=only)


def text(folder, path=ANY):
    return (folder / path).read_bytes().decode()


def put(folder, content, path=ANY):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content.encode())


def test_a_new_file_reads_like_the_one_in_the_conventions(tmp_path):
    """Schema, origin, then sorted tables; machine and threads only where they matter."""
    done = go(tmp_path, SPEED)
    wanted = f"""schema = 1

[origin]
commit = "3f9c2ab"
date = 2026-11-23
versions = {{python = "3.11", torch = "2.15.0"}}
machine = "{MACHINE}"
threads = 1
data_digest = "d1"
family = "{FAMILY}"

["{TECHNIQUE}".speedup]
value = 2.24
low = 2.043
unit = "1"
better = "higher"
tier = "family"
processes = 5
noise = 0.0075
conditions = {{batch = 64, threads = 1}}
seen = {{"2026-11-23T10:00" = 2.24}}
"""
    path = Path(MACHINE) / "digits_cnn.toml"
    assert wanted == text(tmp_path, path)
    assert Recorded(changed=(tmp_path / path,), added=1) == done


def test_each_tier_goes_to_its_level(tmp_path):
    """Exact and portable figures hold anywhere, ratios and absolute timings on the machine that measured them."""
    assert 4 == go(tmp_path, SIZE, QUALITY, SPEED, LOCAL).added
    levels = {entry.metric: entry.level for entry in load_all(tmp_path)}
    assert {"parameters": "any", "accuracy": "any", "speedup": MACHINE, "latency_p50": MACHINE} == levels
    assert "machine" not in text(tmp_path)
    assert ["accuracy", "parameters"] == [entry.metric for entry in load(tmp_path / ANY)]


def test_recording_the_same_twice_leaves_the_file_alone(tmp_path):
    """Not a byte, and not even its time of change."""
    go(tmp_path, SIZE, QUALITY, SPEED, LOCAL)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.toml")}
    assert Recorded() == go(tmp_path, SIZE, QUALITY, SPEED, LOCAL)
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.toml")}


def test_other_entries_comments_and_order_stay(tmp_path):
    """Only what was measured changes, and its marks stay."""
    put(tmp_path, WITH_COMMENTS)
    done = go(tmp_path, OTHER, SIZE)
    wanted = WITH_COMMENTS.replace("value = 90      #", "value = 100      #").replace("= 90\n", "= 100\n")
    added = f'\n["{TECHNIQUE}".parameters]\nvalue = 100\nlow = 100\nhigh = 100\nunit = "1"\n'
    seen = f"seen = {{{MACHINE} = 100}}\n"
    wanted = wanted.replace("2027-01-01}\n", "2027-01-01}\n" + seen)
    added += f'better = "lower"\ntier = "exact"\n{seen}'
    assert wanted + added == text(tmp_path)
    assert (1, 1) == (done.added, done.updated)
    assert XFail(reason="known", until=date(2027, 1, 1)) == load(tmp_path / ANY)[1].xfail


def test_a_table_that_says_the_same_already_keeps_its_bytes(tmp_path):
    """Whatever its spaces and notation."""
    content = (
        WITH_COMMENTS.replace("2027-01-01}", "2027-01-01 }").replace("= 90", "= 1e2").replace('commit = "old"\n', "")
    ).replace("2027-01-01 }\n", f"2027-01-01 }}\nseen = {{ '{MACHINE}'=1e2 }}\n")
    put(tmp_path, content)
    assert Recorded() == go(tmp_path, OTHER)
    assert content == text(tmp_path)


def test_windows_line_ends_stay(tmp_path):
    """A file of a checkout on Windows is not turned into a mixture."""
    put(tmp_path, WITH_COMMENTS.replace("\n", "\r\n"))
    go(tmp_path, OTHER, SIZE)
    assert text(tmp_path).count("\n") == text(tmp_path).count("\r\n")
    assert 3 == len(load(tmp_path / ANY))


def test_entries_of_another_origin_say_so_while_others_remain(tmp_path):
    """The file's origin goes on speaking for the entries that were not measured again."""
    put(tmp_path, WITH_COMMENTS)
    newer = here(versions={"torch": "2.16.0"})
    go(tmp_path, OTHER, where=newer)
    zebra, baseline = load(tmp_path / ANY)
    assert ("old", "2.15.0") == (zebra.origin.commit, zebra.origin.versions["torch"])
    assert ("3f9c2ab", {"torch": "2.16.0"}) == (baseline.origin.commit, baseline.origin.versions)
    assert 'recorded = {commit = "3f9c2ab", date = 2026-11-23, versions = {torch = "2.16.0"}}' in text(tmp_path)
    assert Recorded() == go(tmp_path, OTHER, where=newer)
    go(tmp_path, OTHER)
    assert "recorded" not in text(tmp_path)


def test_a_commit_that_is_not_known_is_not_taken_from_the_file(tmp_path):
    """Outside a repository the entry must not claim the commit of the others."""
    put(tmp_path, WITH_COMMENTS)
    go(tmp_path, OTHER, where=here(versions={"torch": "2.16.0"}), commit=None)
    assert "unknown" == load(tmp_path / ANY)[1].origin.commit


def test_rewriting_every_entry_renews_the_origin(tmp_path):
    """Then no entry needs an origin of its own."""
    put(tmp_path, WITH_COMMENTS)
    newer = here(versions={"torch": "2.16.0"})
    go(tmp_path, OTHER, where=newer)
    go(tmp_path, OTHER, replace(SIZE, value=7.0, cell=replace(CELL, technique="zebra")), where=newer)
    assert {"3f9c2ab"} == {entry.origin.commit for entry in load(tmp_path / ANY)}
    assert "recorded" not in text(tmp_path)
    assert "# both matter" in text(tmp_path)


@pytest.mark.parametrize(
    "origin",
    ["", '[origin]\nversions.torch = "1"\n', '[origin]\ncommit = "x"\n[origin.versions]\ntorch = "1"\njax = "2"\n'],
)
def test_an_origin_in_any_notation_is_renewed(tmp_path, origin):
    """Missing, dotted or a table of its own."""
    entry = '["baseline".parameters]\nvalue = 7\nhigh = 7\nunit = "1"\nbetter = "lower"\ntier = "exact"\n'
    put(tmp_path, f"schema = 1  # note\n{origin}\n{entry}")
    go(tmp_path, OTHER)
    wanted = Origin(
        commit="3f9c2ab", date=date(2026, 11, 23), versions={"python": "3.11", "torch": "2.15.0"}, data_digest="d1"
    )
    assert [wanted] == [found.origin for found in load(tmp_path / ANY)]
    assert text(tmp_path).startswith("schema = 1  # note\n")


def test_a_favourable_bound_that_someone_added_is_renewed(tmp_path):
    """Who wants to hear of improvements goes on hearing of them."""
    path = Path(MACHINE) / "digits_cnn.toml"
    go(tmp_path, SPEED)
    put(tmp_path, text(tmp_path, path).replace("low = 2.043\n", "low = 2.043\nhigh = 2.3\n"), path)
    go(tmp_path, replace(SPEED, value=3.0))
    (entry,) = load(tmp_path / path)
    assert (2.736, 3.0, 3.264) == (entry.low, entry.value, entry.high)


def test_only_limits_the_record_to_techniques_or_cells(tmp_path):
    """By canonical name or by cell; a name that was not measured is reported."""
    assert 1 == go(tmp_path, SIZE, OTHER, only=("baseline",)).added
    assert 1 == go(tmp_path, SIZE, OTHER, only=(str(CELL),)).added
    (said,) = map(str, go(tmp_path, SIZE, OTHER, only=("baselin",)).skipped)
    assert "baselin: not measured in this run; unknown technique or cell 'baselin'; did you mean baseline" in said


def test_nothing_timed_is_recorded_of_a_run_whose_null_arms_are_biased(tmp_path):
    """Eight samples in which copies of the baseline differ by 5 %: sizes are recorded, ratios of times are not."""
    biased = [replace(SPEED, samples=f"sample {k}", null=1.05) for k in range(8)]
    found = go(tmp_path, SIZE, *biased)
    assert (1, 8) == (found.added, len(found.skipped))
    assert all("this run's null arms are biased" in one.reason for one in found.skipped)
    (line,) = skipped_lines(found.skipped)
    assert line.startswith("8 figures (")


def test_no_speed_is_recorded_of_a_cell_whose_quality_has_regressed(tmp_path):
    """What is fast and wrong is no expectation: sizes and the quality itself are recorded, times wait for --anew."""
    go(tmp_path, QUALITY)
    worse = replace(QUALITY, value=0.9)
    found = go(tmp_path, worse, SIZE, SPEED)
    wanted = "its accuracy has regressed: 97.00 % -> 90.00 %, -7.0 points, bound 96.50 %; --anew if that is wanted"
    assert [f"{CELL} speedup: {wanted}"] == [str(one) for one in found.skipped]
    assert (1, 1) == (found.added, found.updated)
    assert not go(tmp_path, worse, SPEED).skipped  # the quality is what is stored by now


def test_no_speed_is_recorded_of_a_cell_whose_quality_is_open(tmp_path):
    """31 images of 1,797 less may be luck, and may be the loss of 2 % that the margin stands for."""
    shared = replace(QUALITY, value=0.9933, n=1797, share=True, noise=None)
    go(tmp_path, shared)
    found = go(tmp_path, replace(shared, value=0.9763), SPEED)
    (said,) = [one.reason for one in found.skipped if "speedup" in one.name]
    assert said.startswith("its accuracy is inconclusive: ")


def test_what_cannot_be_trusted_is_skipped_with_its_reason(tmp_path):
    """Suspect, not finite, of the wrong unit, unknown, or timed in an unquiet process."""
    measured = [
        replace(LOCAL, suspect="minor faults"),
        replace(SIZE, value=float("nan")),
        replace(QUALITY, unit="%"),
        replace(QUALITY, metric="acuracy"),
    ]
    reasons = ["suspect: minor faults", "its value is nan", "the catalogue has 1", "did you mean accuracy"]
    skipped = go(tmp_path, *measured).skipped
    assert [True] * 4 == [reason in one.reason for reason, one in zip(reasons, skipped, strict=True)]
    train = measurement("train_seconds", 5.0)
    unquiet = go(tmp_path, SPEED, LOCAL, train, SIZE, quiet=False)
    assert (3, 1) == (len(unquiet.skipped), unquiet.added)
    assert f"{CELL} speedup: a timing outside a quiet process; run it through `suite bench`" == str(unquiet.skipped[0])


def test_a_malformed_file_stops_everything_before_anything_is_written(tmp_path):
    """Not even the files that are well are touched."""
    path = Path(MACHINE) / "digits_cnn.toml"
    put(tmp_path, "schema = 1\nvalue = \n", path)
    with pytest.raises(ExpectationFileError, match=":2: is not valid TOML"):
        go(tmp_path, SIZE, SPEED)
    assert [tmp_path / path] == list(tmp_path.rglob("*.toml"))


def test_an_entry_that_is_no_table_of_its_own_is_refused(tmp_path):
    """It can be read, but not be updated without rewriting its neighbours."""
    inline = '{ value = 7, high = 7, unit = "1", better = "lower", tier = "exact" }'
    put(tmp_path, f'schema = 1\n["baseline"]\nparameters = {inline}\n')
    with pytest.raises(ExpectationFileError, match=r'\["baseline".parameters\] is no table of its own'):
        go(tmp_path, OTHER)
    assert inline in text(tmp_path)


def test_a_failing_write_leaves_the_old_files_and_no_litter(tmp_path):
    """The second of two files cannot be written, so the first keeps its old content."""
    (tmp_path / "a.toml").write_text("old", encoding="utf-8")
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(SuiteError, match="cannot write"):
        replace_files({tmp_path / "a.toml": "new", tmp_path / "file" / "b.toml": "new"})
    assert "old" == (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert ["a.toml", "file"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_process_killed_before_the_replace_leaves_the_old_file(tmp_path):
    """The new text lies beside it until it is whole on the disk."""
    (tmp_path / "a.toml").write_text("old", encoding="utf-8")
    code = (
        "import os, pathlib, sys; from suite.gate.files.write import replace_files\n"
        "os.replace = lambda *_: os._exit(9)\n"
        "replace_files({pathlib.Path(sys.argv[1]): 'new'})"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.toml")], env=environment, check=False)
    assert 9 == done.returncode
    assert "old" == (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert [] == [path for path in tmp_path.glob("*.toml") if path.name != "a.toml"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_replaced_file_keeps_its_permissions(tmp_path):
    """An update must not hide a file from the group."""
    put(tmp_path, WITH_COMMENTS)
    (tmp_path / ANY).chmod(0o640)
    go(tmp_path, OTHER)
    assert 0o640 == (tmp_path / ANY).stat().st_mode & 0o777


def test_a_folder_that_cannot_be_written_is_refused_with_its_path(tmp_path):
    """A file lies where the folder should."""
    (tmp_path / "any").write_text("", encoding="utf-8")
    with pytest.raises(SuiteError, match=r"cannot write .*any.*make its folder writable"):
        go(tmp_path, SIZE)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_with_the_file_that_was_meant(tmp_path):
    """Not with the name of the temporary file."""
    (tmp_path / "any").mkdir(mode=0o500)
    with pytest.raises(SuiteError, match=r"cannot write .*any.digits_cnn\.toml: Permission denied"):
        go(tmp_path, SIZE)


def test_a_second_writer_waits_and_is_told_whom_for(tmp_path):
    """One writer at a time, and the lock does not litter the folder."""
    with (
        one_writer(tmp_path),
        pytest.raises(SuiteError, match="another process has been writing"),
        one_writer(tmp_path, seconds=0.01),
    ):
        pass
    assert [] == list(tmp_path.iterdir())


def test_a_run_without_a_readable_start_is_refused(tmp_path):
    """The origin needs its day."""
    with pytest.raises(UsageError, match="'yesterday' is no ISO 8601 time"):
        go(tmp_path, SIZE, started="yesterday")


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12).filter(str.strip)
TECHNIQUES = st.sampled_from(["baseline", "a(b=1)+c", "a(b='x')", 'q"uote']) | PLAIN.filter(
    lambda name: name not in {"schema", "origin"}
)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(-1e300, 1e300)


@st.composite
def entries(draw):
    """Any entry that a gate can use; one that it cannot is retired, since such a one is only kept."""
    name = draw(st.sampled_from(all_metrics()))
    low, value, high = sorted(draw(st.lists(NUMBERS | st.floats(0.5, 1), min_size=3, max_size=3)))
    bounds = draw(st.sampled_from([(low, high), (low, None), (None, high)]))
    xfail = st.builds(XFail, reason=PLAIN, until=DAYS)
    entry = Expectation(
        workload="w",
        technique=draw(TECHNIQUES),
        metric=name,
        level="any",
        value=value,
        low=bounds[0],
        high=bounds[1],
        unit=metric(name).unit,
        better=metric(name).better,
        tier=draw(st.sampled_from(tiers(name))),
        seeds=draw(st.none() | st.integers(1, 9)),
        processes=draw(st.none() | st.integers(1, 9)),
        noise=draw(st.none() | st.floats(0, 10)),
        conditions=draw(st.dictionaries(PLAIN, st.integers(-9, 10**9) | PLAIN, max_size=2)),
        by_seed=draw(st.dictionaries(st.integers(0, 99), NUMBERS, max_size=3)),
        seen=draw(st.dictionaries(PLAIN, NUMBERS, max_size=2)),
        retired=draw(st.none() | PLAIN),
        xfail=draw(st.none() | xfail),
        only=tuple(draw(st.lists(st.sampled_from(["cpu", "cuda", "mps"]), max_size=2))),
    )
    return entry if fault(entry) is None else replace(entry, retired=draw(PLAIN))


ORIGINS = st.builds(
    Origin,
    commit=st.none() | PLAIN,
    date=st.none() | DAYS,
    versions=st.dictionaries(PLAIN, st.text(max_size=5), max_size=2),
    machine=st.none() | PLAIN,
    threads=st.none() | st.integers(1, 64),
    data_digest=st.none() | PLAIN,
)
ENTRIES = st.lists(entries(), min_size=1, max_size=4, unique_by=lambda entry: (entry.technique, entry.metric))
PATH = Path("any") / "w.toml"


def keyed(found):
    return {(entry.technique, entry.metric): replace(entry, path="", line=0) for entry in found}


@settings(UNTIMED, max_examples=40)
@given(ENTRIES, ORIGINS)
def test_whatever_is_written_is_read_back(written, origin):
    """A round trip through the file changes nothing, and each line number points at the entry's header."""
    merged = merge(None, path=PATH, entries=written, origin=origin)
    found = parse(merged.text, PATH).entries
    assert keyed(replace(entry, origin=origin) for entry in written) == keyed(found)
    lines = merged.text.split("\n")
    assert all(lines[entry.line - 1].endswith(f".{entry.metric}]") for entry in found)


@settings(UNTIMED, max_examples=30)
@given(ENTRIES, ORIGINS, ENTRIES, ORIGINS)
def test_merging_never_drops_an_entry_and_is_idempotent(first, old, second, new):
    """What the second run did not measure is as it was, and merging again changes nothing."""
    once = merge(None, path=PATH, entries=first, origin=old)
    twice = merge(once.text, path=PATH, entries=second, origin=new)
    found = keyed(parse(twice.text, PATH).entries)
    rest = {key: entry for key, entry in keyed(parse(once.text, PATH).entries).items() if key not in keyed(second)}
    assert rest == {key: found[key] for key in rest}
    assert keyed(first).keys() | keyed(second).keys() == found.keys()
    assert not merge(twice.text, path=PATH, entries=second, origin=new).changed


def test_new_leaves_entries_that_exist_as_they_are(tmp_path):
    """What is unverified can be recorded without accepting what has just regressed."""
    record([measurement("parameters", 10.0)], header=run_header(), directory=tmp_path)
    done = record(
        [measurement("parameters", 12.0), measurement("macs", 5.0)],
        header=run_header(),
        directory=tmp_path,
        how=Storing(new=True),
    )
    assert (1, 0) == (done.added, done.updated)
    assert {"parameters": 10, "macs": 5} == {entry.metric: entry.value for entry in load_all(tmp_path)}


def test_fewer_seeds_or_processes_never_replace_more(tmp_path):
    """A quick run's figures are worse than what is stored."""
    many = measurement("accuracy", 0.99, noise=0.002, seeds=(0, 1, 2, 3, 4))
    record([many, measurement("speedup", 2.0, noise=0.01, processes=5)], header=run_header(), directory=tmp_path)
    quick = [measurement("accuracy", 0.98, seeds=(0,)), measurement("speedup", 1.9, processes=3)]
    done = record(quick, header=run_header(), directory=tmp_path)
    assert (0, 0) == (done.added, done.updated)
    assert "stored from 5 seeds" in " ".join(map(str, done.skipped))
    assert "stored from 5 processes" in " ".join(map(str, done.skipped))


def test_an_entry_of_other_conditions_or_data_is_replaced_even_by_fewer_seeds_or_processes(tmp_path):
    """It says nothing of what was measured now; so does a retired one."""
    many = replace(QUALITY, seeds=(0, 1, 2))
    record([many, SPEED], header=run_header(), directory=tmp_path)
    larger = replace(SPEED, processes=3, conditions={"batch": 4096})
    done = record(
        [QUALITY, larger], header=run_header(where=here(data_digests={"digits_cnn": "d2"})), directory=tmp_path
    )
    assert (2, ()) == (done.updated, done.skipped)


def test_a_retired_entry_that_is_measured_again_is_retired_no_longer(tmp_path):
    """The other marks stay."""
    put(tmp_path, WITH_COMMENTS.replace('only = ["cpu"]', 'only = ["cpu"]\nretired = "replaced"'))
    assert "replaced" == load(tmp_path / ANY)[1].retired
    go(tmp_path, OTHER)
    _, baseline = load(tmp_path / ANY)
    assert (None, ("cpu",), "known") == (baseline.retired, baseline.only, baseline.xfail.reason)


def test_a_run_that_is_partial_records_nothing(tmp_path):
    """Interrupted or narrowed, it would leave old figures beside new ones."""
    with pytest.raises(SuiteError, match="interrupted or narrowed by -k records nothing"):
        record([SIZE], header=run_header(), directory=tmp_path, partial=True)
    assert [] == list(tmp_path.iterdir())


def test_the_family_of_a_machine_is_added_to_a_file_that_lacks_it(tmp_path):
    """Even where other entries remain, for which the file's origin goes on speaking."""
    path = Path(MACHINE) / "digits_cnn.toml"
    put(tmp_path, WITH_COMMENTS, path)
    go(tmp_path, SPEED)
    assert f'data_digest = "d1"\nfamily = "{FAMILY}"\n' in text(tmp_path, path)
    assert {MACHINE: FAMILY} == level_families(tmp_path)
    assert "old" == load(tmp_path / path)[0].origin.commit


def test_a_ratio_whose_noise_leaves_no_bound_is_not_recorded(tmp_path):
    """Nothing could ever regress against a lower bound of zero."""
    done = record([measurement("speedup", 2.0, noise=0.25, processes=5)], header=run_header(), directory=tmp_path)
    assert (0, ()) == (done.added, done.changed)
    assert "too noisy to gate" in done.skipped[0].reason
