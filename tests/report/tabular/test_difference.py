"""The difference of two runs: what is shown, what appeared or went, and what cannot be compared and why."""
# the expected value stands on the left

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import RUN, figures, header

from suite.cli.main import main
from suite.core.errors import UsageError
from suite.report.results.folder import RunFolder
from suite.report.tabular.difference import ChangeKind, changes, diff
from suite.report.tabular.difference_text import UNPAIRED
from suite.report.tabular.loading import load


@pytest.fixture
def run(tmp_path):
    """Make a run of some measurements; returns its folder."""

    def make(measurements, name="before", **fields):
        folder = RunFolder.create(tmp_path, header(run=name, **fields))
        folder.append(*measurements)
        return folder.path

    return make


def compared(before, after):
    return {(one.technique, one.metric): one for one in changes(load(before), load(after))}


def test_a_run_and_its_copy_show_no_change_and_exit_zero(run, capsys):
    """The command says that the runs are not paired, and ends with 0."""
    assert 0 == main(["diff", str(run(RUN)), str(run(RUN, "after"))])
    out = capsys.readouterr().out
    assert "without a change shown" in out
    assert UNPAIRED in out


def test_a_ratio_of_times_is_compared_as_a_ratio_of_two_ratios(run):
    """2.0 [1.98, 2.02] that becomes 1.5 is three quarters, which shows."""
    before = run(figures("static_int8", speedup=(2.0, 1.98, 2.02)))
    after = run(figures("static_int8", speedup=(1.5, 1.48, 1.52)), "after")
    found = compared(before, after)["static_int8", "speedup"]
    assert ("ratio", ChangeKind.LOSS) == (found.scale, found.kind)
    assert pytest.approx(0.75) == found.change
    assert found.low < 0.75 < found.high < 1
    assert 1 == main(["diff", str(before), str(after)])


def test_a_change_within_both_intervals_is_not_shown(run):
    """Each interval holds the other's value."""
    before, after = (run(figures("a", speedup=(value, 1.9, 2.1)), name) for value, name in ((2.0, "b"), (1.95, "c")))
    assert ChangeKind.SAME is compared(before, after)["a", "speedup"].kind


def test_absolute_times_are_not_compared(run):
    """Nothing pairs the seconds of two runs."""
    before, after = (run(figures("a", throughput=value), name) for value, name in ((100.0, "b"), (50.0, "c")))
    found = compared(before, after)["a", "throughput"]
    assert (ChangeKind.NOT_COMPARED, None) == (found.kind, found.change)
    assert "absolute time" in found.why
    assert 12 == main(["diff", str(before), str(after)])


def test_a_count_changes_by_one_and_memory_by_more_than_one_percent(run):
    """Exact counts need no interval; allocators are not that exact."""
    before = run(figures("a", macs=1000, peak_memory_inference=1e6))
    after = run(figures("a", macs=1001, peak_memory_inference=1.009e6), "after")
    found = compared(before, after)
    assert ChangeKind.LOSS is found["a", "macs"].kind
    assert ChangeKind.SAME is found["a", "peak_memory_inference"].kind


def test_quality_without_an_interval_and_processes_of_unknown_noise_are_not_compared(run):
    """Another seed, or another process, is no loss."""
    before = run(figures("a", accuracy_worst_seed=0.99, peak_rss_rise=1e6))
    after = run(figures("a", accuracy_worst_seed=0.98, peak_rss_rise=1.1e6), "after")
    assert {"no interval, and its noise is not known"} == {one.why for one in compared(before, after).values()}


def test_what_went_is_no_pass_and_what_appeared_is_one(run):
    """A metric that is gone cannot be cleared of a loss."""
    both, more = figures("a", macs=1000), figures("a", macs=1000, parameters=10)
    first, second = run(both), run(more, "after")
    assert ChangeKind.APPEARED is compared(first, second)["a", "parameters"].kind
    assert 0 == main(["diff", str(first), str(second)])
    assert ChangeKind.WENT is compared(second, first)["a", "parameters"].kind
    assert 10 == main(["diff", str(second), str(first)])


def test_disturbed_timings_and_other_batches_are_not_compared(run):
    """The reason stands beside the metric."""
    (one,) = figures("a", speedup=(2.0, 1.9, 2.1))
    plain = run([one])
    disturbed = run([replace(one, suspect="2 preemptions")], "disturbed")
    batch = run([replace(one, conditions={"batch": 8})], "batch")
    assert "disturbed: 2 preemptions" == compared(plain, disturbed)["a", "speedup"].why
    assert compared(plain, batch)["a", "speedup"].why.startswith("other batch")


def test_runs_of_two_machines_are_compared_in_what_holds_on_both(run):
    """Quality and counts hold anywhere, ratios of times within a family, memory on one machine."""
    where = replace(header().where, machine="other-machine", family="other-family")
    measured = figures("a", macs=10, speedup=(2.0, 1.9, 2.1), peak_memory_inference=1e6)
    found = compared(run(measured), run(measured, "after", where=where))
    assert ChangeKind.SAME is found["a", "macs"].kind
    assert found["a", "speedup"].why.startswith("other family")
    assert found["a", "peak_memory_inference"].why.startswith("other machine")


def test_frames_of_several_machines_without_a_common_one_are_refused(run):
    """Which machine stands against which is not for the suite to guess."""
    places = [replace(header().where, machine=f"machine-{number}") for number in range(3)]
    paths = [run(figures("a", macs=1), f"r{number}", where=where) for number, where in enumerate(places)]
    with pytest.raises(UsageError, match="no machine is in both"):
        changes(load(paths[:2]), load(paths[2]))


def test_json_has_every_metric_and_the_exit_code(run, capsys):
    """Programs read the same that people see."""
    assert 0 == main(["diff", str(run(RUN)), str(run(RUN, "after")), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (1, 0, len(RUN)) == (found["schema"], found["exit_code"], len(found["changes"]))


def test_the_pivot_is_a_frame_of_the_same_changes(run):
    """Its columns are the fields of a change."""
    frame = diff(load(run(RUN)), load(run(RUN, "after")))
    assert len(RUN) == len(frame)
    assert {"no change shown", "not compared"} == set(frame["kind"])


def test_a_folder_that_holds_no_run_is_one_line(tmp_path, capsys):
    """No traceback for a typing mistake."""
    assert 11 == main(["diff", str(tmp_path), str(tmp_path / "nowhere")])
    assert 1 == len(capsys.readouterr().err.splitlines())


values = st.floats(0.5, 2.0)


@settings(max_examples=20)  # each writes and reads two folders
@given(before=values, after=values, half=st.floats(0.001, 0.2))
def test_swapping_the_runs_turns_a_loss_into_a_gain(tmp_path_factory, before, after, half):
    """The comparison is the same in both directions."""
    reports = tmp_path_factory.mktemp("reports")
    frames = []
    for name, value in (("b", before), ("a", after)):
        folder = RunFolder.create(reports, header(run=name))
        folder.append(*figures("t", speedup=(value, value * (1 - half), value * (1 + half))))
        frames.append(load(folder.path))
    there, back = changes(*frames)[0], changes(*frames[::-1])[0]
    swapped = {ChangeKind.LOSS: ChangeKind.GAIN, ChangeKind.GAIN: ChangeKind.LOSS}
    assert swapped.get(there.kind, there.kind) is back.kind
    assert pytest.approx(1) == there.change * back.change


def test_a_byte_more_between_ranks_is_no_loss_and_two_percent_are(run):
    """The gate allows one percent of what is not exact."""
    before = run(figures("ddp", network_bytes=1_000_000))
    sent = {name: run(figures("ddp", network_bytes=value), name) for name, value in (("b", 1_000_001), ("c", 1.02e6))}
    kinds = {name: compared(before, path)["ddp", "network_bytes"].kind for name, path in sent.items()}
    assert {"b": ChangeKind.SAME, "c": ChangeKind.LOSS} == kinds


@pytest.mark.parametrize(("disturbed", "code"), [(("after",), 10), (("before", "after"), 0), (("before",), 0)])
def test_a_second_run_that_was_disturbed_is_no_pass(run, disturbed, code):
    """What could be compared before cannot be cleared of a loss, whatever else is equal."""
    paths = []
    for name in ("before", "after"):
        (timing, size) = figures("a", speedup=(2.0, 1.9, 2.1), macs=10)
        paths.append(run([replace(timing, suspect="2 preemptions" if name in disturbed else None), size], name))
    assert code == main(["diff", *map(str, paths)])


def test_of_several_runs_of_a_machine_the_last_one_counts_as_a_whole(run):
    """A metric that only an earlier one has is gone."""
    both, one = figures("a", macs=10, parameters=5), figures("a", macs=10)
    early = run(both, "early", started="2026-11-01T00:00:00+00:00")
    late = run(one, "late", started="2026-11-02T00:00:00+00:00")
    found = {change.metric: change.kind for change in changes(load(early), load([early, late]))}
    assert {"macs": ChangeKind.SAME, "parameters": ChangeKind.WENT} == found
