"""The tables of a run in the terminal: aligned, never wider than it, and open about what they leave out."""
# the expected value stands on the left

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from suite.core.metrics import METRICS
from suite.core.records import Cell, Measurement, RunHeader, Verdict, VerdictKind, Where
from suite.report.frames import tidy
from suite.report.terminal import table
from suite.report.tradeoffs import tradeoffs

HEADER = RunHeader(
    run="run",
    started="2026-11-23T15:04:05+00:00",
    command="suite bench",
    commit=None,
    where=Where(machine="cpu-x86_64-test-2c", family="cpu-x86_64-avx2", device="cpu", threads=1),
    seeds=(0,),
    profile="default",
    quiet=True,
)
PRUNED = Cell(workload="digits_cnn", technique="structured_pruning(ratio=0.5,epochs=5)", device="cpu")
BASELINE = Cell(workload="digits_cnn", technique="baseline", device="cpu")
OTHER = Cell(workload="resnet50_synthetic", technique="baseline", device="cpu")


def measured(metric, value, *, cell=PRUNED, **more):
    known = METRICS[metric]
    return Measurement(
        cell=cell,
        metric=metric,
        value=value,
        unit=known.unit,
        better=known.better,
        tier=known.tier,
        group=known.group,
        **more,
    )


def judged(kind, metric="speedup", cell=PRUNED):
    return Verdict(kind=VerdictKind(kind), cell=cell, metric=metric, group=METRICS[metric].group)


def frame_of(measurements, verdicts=(), scores=None):
    return tradeoffs(tidy(HEADER, measurements, verdicts), scores)


FIGURES = [
    measured("accuracy", 0.98, cell=BASELINE),
    measured("artefact_bytes", 200_000, cell=BASELINE),
    measured("accuracy", 0.9735),
    measured("accuracy_vs_control", -0.0048, low=-0.0081, high=-0.0014),
    measured("artefact_bytes", 80_000),
    measured("speedup", 2.24, low=2.2, high=2.28),
    measured("peak_memory_inference", 1_250_000),
    measured("accuracy", 0.5, cell=OTHER),
]


def test_a_wide_table_shows_all_figures_aligned_below_their_workload():
    """Columns line up across workloads; figures to the right."""
    verdicts = [judged("pass")]
    expected = """
  technique                               accuracy            vs control  shows from      size            speed-up  memory  verdict
digits_cnn on cpu
  baseline                                 98.00 %                     -           -  200.0 kB                   -       -  -
  structured_pruning(ratio=0.5,epochs=5)   97.35 %  -0.48 [-0.81, -0.14]        0.34   80.0 kB  2.24x [2.20, 2.28]  1.2 MB  pass
resnet50_synthetic on cpu
  baseline                                 50.00 %                     -           -         -                   -       -  -
"""  # noqa: E501  # as wide as the table
    assert expected.strip("\n") == table(frame_of(FIGURES, verdicts), 140)


def test_a_difference_that_cannot_be_told_from_none_is_no_figure():
    """It reads the smallest effect that the cell could have shown, never `+0.00`."""
    score, more = measured("accuracy", 0.97), {"low": -0.0011, "high": 0.0011, "control": "baseline"}
    nothing = frame_of([score, measured("accuracy_vs_control", 0.0, **more)])
    assert "97.00 %  no effect above 0.11 points        0.11  -" in table(nothing, 140)
    assert "97.00 %  none above 0.11  -" in table(nothing, 75)
    assert "0, no interval" in table(frame_of([score, measured("accuracy_vs_control", 0.0)]), 140)


def test_the_baseline_is_not_compared_with_itself():
    more = {"low": -0.0011, "high": 0.0011, "control": "baseline", "cell": BASELINE}
    own = [measured("accuracy", 0.98, cell=BASELINE), measured("accuracy_vs_control", 0.0, **more)]
    (line,) = [line for line in table(frame_of(own), 140).splitlines() if "baseline" in line]
    assert "baseline 98.00 % - - -" == " ".join(line.split())


def test_a_narrow_table_keeps_names_speed_up_and_verdict():
    """At 80 columns some figures are left out, never cut."""
    text = table(frame_of(FIGURES, [judged("regressed")]), 80)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("struct", "epochs=5)", "2.24x [2.20, 2.28]", "97.35 %", "regressed"):
        assert part in text
    table_lines, note = text.splitlines()[:-1], text.splitlines()[-1]
    assert not any("memory" in line for line in table_lines)
    assert "  not shown at this width: size, memory, some intervals; see tradeoffs.md" == note


def test_shortened_names_of_a_sweep_stay_apart():
    """Figures are left out before two cells would read the same."""
    cells = [
        Cell(workload="w", technique=f"pruning(ratio={ratio},epochs=5,rounds=12)", device="cpu") for ratio in (0.3, 0.5)
    ]
    text = table(frame_of([measured("accuracy", 0.9, cell=cell) for cell in cells]), 80)
    names = [line.split()[0] for line in text.splitlines() if "pruning" in line]
    assert 2 == len(set(names))


ANY_FRAME = frame_of(FIGURES, [judged("regressed")])


@settings(deadline=None, max_examples=25)
@given(width=st.integers(min_value=30, max_value=200))
def test_no_line_is_wider_than_the_terminal(width):
    """Whatever the width, every cell has its line and its verdict."""
    found = table(ANY_FRAME, width).splitlines()
    assert max(map(len, found)) <= width
    assert "regressed" in found[3]
    assert found[5].startswith("  baseline")
    assert len(found) == 6 or found[6].startswith("  not shown at this")


def test_an_empty_table_is_its_heading():
    """A run without cells does not fail at its end."""
    assert table(frame_of([]), 80).split()[0] == "technique"


LM = Cell(workload="tiny_lm", technique="baseline", device="cpu")
NONE = Cell(workload="unlabelled", technique="baseline", device="cpu")
SCORES = {"digits_cnn": ("accuracy", "macro_recall"), "tiny_lm": ("bits_per_byte",), "unlabelled": ()}


def test_a_disturbed_ratio_is_marked_with_its_reason_below_the_table():
    """Whatever its verdict: `10.19x` of a sample that says nothing is no speed-up."""
    found = [
        measured("speedup", 2.58, low=2.28, high=2.97, cell=BASELINE, suspect="2 preemptions"),
        measured("speedup", 10.19, suspect="2 preemptions"),
    ]
    expected = """
  technique                                                speed-up  verdict
digits_cnn on cpu
  baseline                                  1 (A/A 2.58x [2.28, 2.97] ?)  -
  structured_pruning(ratio=0.5,epochs=5)                      10.19x ?  unverified
  ? not sound: speedup of baseline, speedup of
  structured_pruning(ratio=0.5,epochs=5): 2 preemptions
"""
    shown = table(frame_of(found, [judged("unverified")]), 100)
    assert expected.split() == shown.split()


def test_workloads_of_different_scores_have_a_table_each():
    """A language model has no accuracy column, a workload without scores none for quality."""
    found = [
        measured("accuracy", 0.98, cell=BASELINE),
        measured("bits_per_byte", 1.23456, cell=LM),
        measured("bits_per_byte_vs_control", -0.01234, cell=LM, low=-0.02, high=-0.005),
        measured("speedup", 1.0, cell=NONE),
    ]
    expected = """
  technique  accuracy  verdict
digits_cnn on cpu
  baseline    98.00 %  -

  technique  bits per byte (lower)               vs control  shows from  verdict
tiny_lm on cpu
  baseline               1.235 bit  -0.0123 [-0.02, -0.005]  0.0073 bit  -

  technique       speed-up  verdict
unlabelled on cpu
  baseline   1 (A/A 1.00x)  -
"""
    assert expected.strip("\n") == table(frame_of(found, scores=SCORES), 100)


def test_the_serving_batch_stands_in_the_title_of_the_speed_up():
    """Workloads that are served in other batches have a table of their own."""
    found = [
        measured("speedup", 1.0, cell=BASELINE, conditions={"batch": 64}),
        measured("speedup", 2.0, cell=OTHER, conditions={"batch": 4}),
        measured("artefact_bytes", 5.0, cell=replace(OTHER, technique="untimed")),
    ]
    text = table(frame_of(found), 100)
    assert 1 == text.count("speed-up b64")
    assert 1 == text.count("speed-up b4")
    assert "untimed" in text.split("speed-up b4")[1]


def test_intervals_that_are_left_out_are_mentioned():
    """The note names what the narrower form of a column lacks, even where every column is there."""
    found = [measured("accuracy_vs_control", -0.0028, low=-0.0061, high=0.0006), measured("accuracy", 0.97)]
    assert "not shown" not in table(frame_of(found), 200)
    assert "not shown at this width: some intervals; see" in table(frame_of(found), 60)


def test_a_cell_whose_host_sets_the_pace_is_marked():
    """Below half of the time on the device a speed-up says little about the technique."""
    found = [measured("device_share", 0.3), measured("device_share", 0.9, cell=BASELINE)]
    lines = table(frame_of(found, [judged("pass")]), 100).splitlines()
    assert lines[2].endswith("pass (launch-bound)")
    assert "launch-bound" not in lines[3]
