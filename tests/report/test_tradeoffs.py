"""The trade-off table: one row per cell, the Pareto front, and what people read."""
# the expected value stands on the left

import itertools
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.errors import ResultsError
from suite.core.metrics import METRICS
from suite.core.records import Cell, CellFailure, Measurement, RunEnd, RunHeader, Verdict, VerdictKind, Where
from suite.report.frames import tidy
from suite.report.markdown import to_markdown
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import columns, tradeoffs, write

HEADER = RunHeader(
    run="2026-11-23T15-04-05-cpu",
    started="2026-11-23T15:04:05+00:00",
    command="suite bench --profile default",
    commit="3f9c2ab",
    where=Where(
        machine="cpu-x86_64-test-2c",
        family="cpu-x86_64-avx2",
        device="cpu",
        threads=1,
        versions={"torch": "2.15.0", "python": "3.11"},
    ),
    seeds=(0, 1, 2),
    profile="default",
    quiet=True,
)
PRUNED = "structured_pruning(ratio=0.5,epochs=5)"


def measured(technique, metric, value, *, workload="digits_cnn", device="cpu", **more):
    known = METRICS[metric]
    return Measurement(
        cell=Cell(workload=workload, technique=technique, device=device),
        metric=metric,
        value=value,
        unit=known.unit,
        better=known.better,
        tier=known.tier,
        group=known.group,
        **more,
    )


def figures(technique, accuracy, artefact_bytes, speedup, **place):
    """The three figures of a cell that the Pareto front is about; ``None`` is not measured."""
    values = {"accuracy": accuracy, "artefact_bytes": artefact_bytes, "speedup": speedup}
    return [measured(technique, metric, value, **place) for metric, value in values.items() if value is not None]


def judged(kind, measurement, **more):
    return Verdict(
        kind=VerdictKind(kind),
        cell=measurement.cell,
        metric=measurement.metric,
        group=METRICS[measurement.metric].group,
        measurement=measurement,
        **more,
    )


RUN = [
    *figures("baseline", 0.98, 200_000, 1.0),
    *figures(PRUNED, 0.9735, 80_000, None),
    measured(PRUNED, "speedup", 2.24, low=2.2, high=2.28, control="baseline"),
    measured(PRUNED, "accuracy_vs_control", -0.0028, low=-0.0061, high=0.0006, control="extra_epochs(epochs=5)"),
    measured(PRUNED, "macs", 1_234_567),
    measured(PRUNED, "parameters", 38_474),
    measured(PRUNED, "peak_memory_inference", 1_250_000),
]


def table_of(measurements, verdicts=()):
    return tradeoffs(tidy(HEADER, measurements, verdicts))


def pareto(measurements):
    return [None if pd.isna(value) else bool(value) for value in table_of(measurements)["pareto"]]


def test_each_cell_is_one_row_in_order_of_appearance():
    """The order of the run is the order of the table."""
    table = table_of([*figures("b", 0.9, 1, 1.0), *figures("a", 0.9, 1, 1.0), measured("b", "macs", 5)])
    assert ["b", "a"] == list(table["technique"])
    assert list(columns(["accuracy"])) == list(table.columns)


def test_a_row_holds_the_cells_figures_with_their_intervals():
    """Each metric is a column; what was not measured is NaN."""
    row = table_of(RUN).iloc[1]
    assert (0.9735, 80_000, 38_474, 1_234_567) == tuple(row[["accuracy", "artefact_bytes", "parameters", "macs"]])
    assert (2.24, 2.2, 2.28) == tuple(row[["speedup", "speedup_low", "speedup_high"]])
    assert (-0.0061, 0.0006) == tuple(row[["accuracy_vs_control_low", "accuracy_vs_control_high"]])
    assert bool(row[["entropy_bytes", "speedup_b1", "train_step_speedup"]].isna().all())


def test_the_control_is_the_one_that_quality_is_compared_with():
    """Speed is compared with the baseline, which is not the cell's control."""
    assert "extra_epochs(epochs=5)" == table_of(RUN)["control"].iloc[1]
    assert "baseline" == table_of([measured(PRUNED, "speedup", 2.24, control="baseline")])["control"].iloc[0]


def test_bytes_are_compared_with_the_baseline_of_the_same_workload_and_device():
    """Another device's baseline is no reference."""
    table = table_of(
        [
            *figures("baseline", None, 200, None),
            *figures("a", None, 80, None),
            *figures("a", None, 80, None, device="cuda"),
            *figures("baseline", None, 400, None, workload="other"),
            *figures("a", None, 80, None, workload="other"),
        ]
    )
    assert [1.0, 2.5, None, 1.0, 5.0] == [None if pd.isna(ratio) else ratio for ratio in table["bytes_ratio"]]


def test_a_beaten_cell_is_not_pareto_optimal_and_a_trade_is():
    """Worse in one figure is a trade if it is better in another."""
    cells = [
        *figures("baseline", 0.98, 200, 1.0),
        *figures("trade", 0.97, 100, 2.0),
        *figures("beaten", 0.96, 100, 2.0),
    ]
    assert [True, True, False] == pareto(cells)


def test_equal_cells_do_not_beat_each_other():
    """Beating takes being better in one figure."""
    assert [True, True] == pareto([*figures("a", 0.9, 1, 1.0), *figures("b", 0.9, 1, 1.0)])


def test_cells_of_another_workload_or_device_do_not_compete():
    """A fast GPU does not make a technique on the CPU worthless."""
    cells = [*figures("a", 0.9, 9, 1.0), *figures("a", 0.99, 1, 9.0, device="cuda")]
    assert [True, True] == pareto([*cells, *figures("a", 0.99, 1, 9.0, workload="other")])[:2]


def test_a_cell_without_a_figure_is_neither_optimal_nor_beaten():
    """Unknown is empty, and beats nobody."""
    assert [None, True] == pareto([*figures("a", 0.99, 1, None), *figures("b", 0.9, 9, 1.0)])


def test_workloads_without_accuracy_compare_bytes_and_speed():
    """Where the data carry no labels there is no accuracy at all; elsewhere its absence leaves the cell empty."""
    cells = [*figures("a", None, 9, 1.0), *figures("b", None, 1, 1.0)]
    assert [False, True] == pareto(cells)
    assert [None, None, True] == pareto([*cells, *figures("c", 0.5, 99, 0.1)])


triples = st.tuples(st.sampled_from([0.5, 0.7, 0.9]), st.integers(1, 3), st.sampled_from([0.5, 1.0, 2.0]))


@settings(deadline=None, max_examples=15)
@given(st.lists(triples, min_size=1, max_size=6))
def test_the_front_is_never_empty_and_beats_all_others(triples):
    """Every cell off the front is beaten by one on it, and none on it by any."""
    optimal = pareto([row for number, triple in enumerate(triples) for row in figures(f"t{number}", *triple)])
    front = [triple for triple, best in zip(triples, optimal, strict=True) if best]
    rest = [triple for triple, best in zip(triples, optimal, strict=True) if not best]

    def beats(a, b):
        return a != b and a[0] >= b[0] and a[1] <= b[1] and a[2] >= b[2]

    assert not any(beats(a, b) for a, b in itertools.product(triples, front))
    assert all(any(beats(a, b) for a in front) for b in rest)


def test_the_verdict_of_a_cell_is_its_worst_and_any_stale_entry_marks_it():
    """One regression is not hidden by passes."""
    verdicts = [judged("pass", RUN[0]), judged("regressed", RUN[1], stale=True), judged("unverified", RUN[3])]
    table = table_of(RUN, verdicts)
    assert [("regressed", True), ("unverified", False)] == list(zip(table["verdict"], table["stale"], strict=True))


def test_a_cell_that_only_failed_has_its_row():
    """What could not run is in the table, without figures."""
    cell = Cell(workload="digits_cnn", technique="compiled", device="cpu")
    table = table_of(RUN, [Verdict(kind=VerdictKind.UNAVAILABLE, cell=cell, metric="", group="speed", reason="no g++")])
    assert ("compiled", "unavailable") == tuple(table.iloc[-1][["technique", "verdict"]])
    assert pd.isna(table.iloc[-1]["pareto"])


def test_an_empty_run_has_an_empty_table():
    """All columns, no rows, and Markdown that can be read."""
    table = table_of([])
    assert (0, list(columns([]))) == (len(table), list(table.columns))
    assert "# Trade-offs of 2026-11-23T15-04-05-cpu" in to_markdown(table, HEADER)


def test_runs_of_two_machines_are_not_mixed_in_one_table():
    """Figures of one cell on two machines would silently hide each other."""
    other = replace(HEADER, where=replace(HEADER.where, machine="another"))
    both = pd.concat([tidy(HEADER, RUN, []), tidy(other, RUN, [])])
    with pytest.raises(ResultsError, match="one table holds one machine, got cpu-x86_64-test-2c, another"):
        tradeoffs(both)


def test_the_markdown_says_where_its_figures_come_from():
    """Run, machine, versions, seeds and commit stand above the table."""
    text = to_markdown(table_of(RUN), HEADER)
    for part in (HEADER.run, HEADER.where.machine, "python 3.11, torch 2.15.0", "seeds: 0, 1, 2", "commit: 3f9c2ab"):
        assert part in text
    assert "Not a quiet process" not in text
    assert "Not a quiet process" in to_markdown(table_of(RUN), replace(HEADER, quiet=False))
    gpu = replace(HEADER, accelerator={"nvml": "answers", "mig": "off"})
    assert "\n- accelerator: nvml answers, mig off\n- versions:" in to_markdown(table_of(RUN), gpu)
    assert "accelerator:" not in text
    assert "\n- null arm: as it is\n" in to_markdown(table_of(RUN), HEADER, null_arms=["null arm: as it is"])


def test_the_markdown_shows_figures_as_people_say_them():
    """Percentages, points, ratios and sizes have their units, and the front its star."""
    rows = to_markdown(table_of(RUN, [judged("pass", RUN[3], stale=True)]), HEADER).splitlines()
    cells = [
        cell.strip() for cell in next(line for line in rows if line.startswith("| digits_cnn | `struct")).split("|")
    ]
    expected = [
        "digits_cnn", f"`{PRUNED}`", "`extra_epochs(epochs=5)`", "cpu", "97.35 %",
        "no effect above 0.34 points [-0.61, +0.06]", "0.34", "80.0 kB",
        "2.50x", "38,474", "1.23 M", "2.24x [2.20, 2.28]", "1.2 MB", "★", "pass (stale)",
    ]  # fmt: skip
    assert expected == cells[1:-1]


@pytest.mark.parametrize("metric", ["speedup_b1", "speed_vs_kernel", "train_step_speedup"])
def test_each_speed_says_which_loss_the_gate_finds(metric):
    """In the table for people beside it, in the other one in a column of its own."""
    step = measured(PRUNED, metric, 0.97)
    table = table_of([*RUN, step], [judged("pass", step, detectable=0.0312)])
    assert [0.0312] == list(table[f"{metric}_detectable"].dropna())
    assert "| 0.97x, finds 3.12 % |" in " ".join(to_markdown(table, HEADER).split())


def test_a_column_without_any_figure_is_left_out_of_the_markdown():
    """Text models have no `vs channels_last`, CPUs no share of the device."""
    text = to_markdown(table_of(RUN), HEADER).partition("| workload")[2]
    assert "speed-up" in text
    assert "channels_last" not in text
    timed = [*RUN, measured(PRUNED, "speedup_vs_channels_last", 1.1), measured(PRUNED, "output_error", 0.00123)]
    text = to_markdown(table_of(timed), HEADER)
    assert "vs channels_last" in text
    assert "| 0.0012 |" in " ".join(text.split())


def test_energy_has_a_column_only_where_a_counter_was_read():
    """Most machines have none; an invalid reading has its mark, and its reason in a line of its own."""
    assert "J an item" not in to_markdown(table_of(RUN), HEADER)
    why = "invalid: the counter did not move in 1 s"
    read = [measured("baseline", "energy_per_item", 0.00123), measured(PRUNED, "energy_per_item", 0.0, suspect=why)]
    text = to_markdown(table_of([*RUN, *read]), replace(HEADER, energy="intel-rapl:0 package-0"))
    assert "\n- energy: intel-rapl:0 package-0\n" in text
    rows = [[cell.strip() for cell in row.split("|")] for row in text.splitlines() if row.startswith("| ")]
    place = rows[0].index("J an item")
    assert ["0.00123", "0 ?"] == [row[place] for row in rows[1:]]
    assert f"? not sound: energy_per_item of {PRUNED}: {why}" in text


SCORES = {"prices": ("mean_squared_error", "mean_absolute_error"), "plain": ()}


def scored(technique, error, size, speedup, interval=(None, None)):
    return [
        *figures(technique, None, size, speedup, workload="prices"),
        measured(technique, "mean_squared_error", error, workload="prices", low=interval[0], high=interval[1]),
    ]


def test_the_primary_score_of_the_header_is_the_tables_score():
    """A regression has its error, in its own unit, and no accuracy; other scores stand in results.csv."""
    found = [
        *scored("baseline", 0.25, 200, 1.0),
        measured("baseline", "mean_squared_error_vs_control", 0.0, workload="prices", control="other"),
        measured("baseline", "mean_absolute_error", 0.3, workload="prices"),
        *figures("baseline", None, 100, 1.0, workload="plain"),
    ]
    table = tradeoffs(tidy(HEADER, found, []), SCORES)
    assert list(columns(["mean_squared_error"])) == list(table.columns)
    assert ("mean_squared_error", "1", "lower", 0.25, "other") == tuple(
        table.loc[0, ["score", "score_unit", "score_better", "mean_squared_error", "control"]]
    )
    assert pd.isna(table.loc[1, "score"])
    text = to_markdown(table, HEADER)
    assert "mean squared error (lower is better)" in text
    assert 2 == text.count("| workload")
    assert "accuracy" not in text.partition("| workload")[2]


def test_a_lower_error_is_a_merit():
    """The direction of the front is the score's."""
    cells = [*scored("worse", 0.5, 100, 1.0), *scored("better", 0.2, 100, 1.0)]
    assert [False, True] == list(tradeoffs(tidy(HEADER, cells, []), SCORES)["pareto"])


def test_a_difference_within_the_intervals_is_no_merit():
    """A cell ten times slower is not worth it for a score that is better by noise."""
    close = [*scored("slow", 0.499, 100, 0.1, (0.4, 0.6)), *scored("baseline", 0.5, 100, 1.0, (0.4, 0.6))]
    assert [False, True] == list(tradeoffs(tidy(HEADER, close, []), SCORES)["pareto"])


def test_scores_of_a_module_that_is_not_loaded_are_shown_all_the_same():
    """`suite report` reads records alone: unit and direction come with the measurement."""
    cell = Cell(workload="mine", technique="baseline", device="cpu")
    found = Measurement(
        cell=cell, metric="word_errors", value=12.5, unit="word", better="lower", tier="portable", group="quality"
    )
    table = tradeoffs(tidy(HEADER, [found], []), {"mine": ("word_errors",)})
    assert ("word", "lower") == tuple(table.loc[0, ["score_unit", "score_better"]])
    assert "12.5 word" in to_markdown(table, HEADER)


def test_a_header_of_an_older_run_has_accuracy_where_it_was_measured():
    """Records from before the header named the scores can still be read."""
    table = tradeoffs(tidy(HEADER, [*RUN, *figures("baseline", None, 1, 1.0, workload="plain")], []), {})
    assert ["accuracy", "accuracy"] == list(table["score"])[:2]
    assert pd.isna(table["score"].iloc[2])


def test_every_row_of_the_markdown_has_as_many_cells_as_its_heading():
    """A pipe in a parameter does not end a cell."""
    text = to_markdown(table_of(figures("mine(name='a|b')", 0.9, 1, 1.0)), HEADER)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert 3 == len(rows)
    assert 1 == len({line.replace(r"\|", "").count("|") for line in rows})


def test_a_run_is_written_as_two_csv_files_and_markdown(tmp_path):
    """The files lie in the run's folder and hold the same cells; writing again replaces them."""
    folder = RunFolder.create(tmp_path, HEADER)
    for record in [
        *RUN,
        judged("pass", RUN[0]),
        CellFailure(cell=RUN[0].cell, group="memory", kind="error", reason="x"),
    ]:
        folder.append(record)
    paths = write(folder)
    assert paths == write(folder)
    assert ["results.csv", "tradeoffs.csv", "tradeoffs.md"] == [path.name for path in paths]
    assert {"results.jsonl", *(path.name for path in paths)} == {path.name for path in folder.path.iterdir()}
    assert len(RUN) == len(pd.read_csv(paths[0]))
    table = pd.read_csv(paths[1])
    assert (["baseline", PRUNED], list(columns(["accuracy"]))) == (list(table["technique"]), list(table.columns))
    assert [True, True] == list(table["pareto"])
    assert PRUNED in paths[2].read_text(encoding="utf-8")


def test_the_tables_of_a_run_are_written_without_pandas(tmp_path):
    """It takes longer to load than most runs take to read."""
    folder = RunFolder.create(tmp_path, HEADER)
    folder.append(*RUN)
    code = "import sys; from suite.cli.main import main; main(sys.argv[1:]); sys.exit('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "report", str(folder.path)], capture_output=True, check=False)
    assert (0, b"") == (done.returncode, done.stderr)
    assert (folder.path / "tradeoffs.md").is_file()


def test_the_written_tables_are_those_of_the_frames(tmp_path):
    """To the last character, with a sweep, other kinds of values and gaps."""
    swept = [
        replace(one, cell=replace(one.cell, technique=f"pruned(kind='a,b',share={share},whole={whole})"))
        for share in (0.25, 0.5, 0.75) for whole in (True, False)
        for one in RUN if one.cell.technique == "static_int8"
    ]  # fmt: skip
    folder = RunFolder.create(tmp_path, HEADER)
    folder.append(*RUN, *swept)
    results, csv, _ = write(folder)
    frame = tidy(HEADER, [*RUN, *swept], [])
    assert frame.to_csv(index=False) == results.read_text("utf-8")
    assert tradeoffs(frame, HEADER.scores).to_csv(index=False) == csv.read_text("utf-8")


@pytest.mark.parametrize("damage", ["torn", "changed", "two headers", "resumed"])
def test_a_file_that_is_not_plain_is_read_line_by_line(tmp_path, damage):
    """With the same records, or the same error, as from its stream."""
    folder = RunFolder.create(tmp_path, HEADER)
    folder.append(*RUN)
    folder.end(RunEnd(groups=1, done=1, whole=True, code=0))
    content = folder.results.read_bytes()
    lines = content.splitlines(keepends=True)
    changed = {
        "torn": content + b'{"type": "measure', "changed": content.replace(b'"n": 1,', b'"n": 2,', 1),
        "two headers": lines[0] + content, "resumed": content + lines[1],
    }  # fmt: skip
    folder.results.write_bytes(changed[damage])

    def read(how):
        try:
            return [type(record).__name__ for record in how()]
        except ResultsError as error:
            return str(error)

    assert read(folder.stream) == read(folder.brief)
    assert isinstance(read(folder.brief), str) == (damage in ("changed", "two headers"))


def test_the_energy_of_a_correct_answer_is_that_of_an_item_over_the_accuracy():
    """And there is none without a valid reading, or an accuracy."""
    read = [
        measured("baseline", "energy_per_item", 0.99),
        measured(PRUNED, "energy_per_item", 0.5, suspect="invalid: x"),
    ]
    table = table_of([*RUN, *read]).set_index("technique")["energy_per_correct"]
    right = table_of(RUN).set_index("technique")["accuracy"]["baseline"]
    assert pytest.approx(0.99 / right) == table["baseline"]
    assert pd.isna(table[PRUNED])
    assert pd.isna(table_of([measured("baseline", "energy_per_item", 0.5)])["energy_per_correct"][0])


def test_energies_of_training_have_columns_where_they_were_read():
    read = [measured("baseline", "energy_per_epoch", 20.0), measured("baseline", "energy_to_target", 90.0)]
    text = to_markdown(table_of([*RUN, *read]), HEADER)
    assert "J an epoch" in text
    assert "J to the target" in text
