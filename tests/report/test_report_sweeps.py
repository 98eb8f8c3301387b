"""The tables of sweeps, for the terminal and in Markdown; a run without sweeps has none."""
# the expected value stands on the left

from dataclasses import replace

from samples import figures, header, measured

from suite.core.records import ShapeExpectation, Verdict, VerdictKind
from suite.report.frames import tidy
from suite.report.sweeps import blocks, markdown, text
from suite.report.tradeoffs import tradeoffs


def table(*ratios):
    runs = [
        figures(
            f"structured_pruning(ratio={ratio},epochs=5)", accuracy=(1 - ratio / 10, 0.9, 0.99),
            artefact_bytes=900_000 * (1 - ratio), speedup=(1 / (1 - ratio), 1.0, 4.0),
        )
        for ratio in ratios
    ]  # fmt: skip
    found = [*figures("baseline", accuracy=(0.99, 0.98, 0.995)), *(one for run in runs for one in run)]
    return tradeoffs(tidy(header(), found, []), {"digits_cnn": ("accuracy",)})


def test_a_sweep_of_three_points_is_one_block_in_ascending_order():
    """Titled by what stays and what runs."""
    [block] = blocks(table(0.5, 0.3, 0.7))
    assert "digits_cnn on cpu: structured_pruning(epochs=5) along ratio" == block.title
    assert (0.3, 0.5, 0.7) == block.at
    assert [0.97, 0.95, 0.93] == [round(row["accuracy"], 2) for row in block.rows]


def test_value_quality_with_interval_size_and_speed_stand_in_a_line():
    """The terminal's columns are aligned."""
    _, head, first, *_ = text(table(0.3, 0.5, 0.7)).splitlines()
    assert ["ratio", "accuracy", "artefact", "speed-up", "verdict"] == head.split()
    assert "0.3  97.00 % [90.00 %, 99.00 %]  630.0 kB  1.43x [1.00, 4.00]  -" in first


def test_the_verdict_on_the_shape_stands_below_its_table():
    """In the terminal and in Markdown; another sweep's does not."""
    found = table(0.3, 0.5, 0.7)
    shape = ShapeExpectation(
        workload="digits_cnn", technique="structured_pruning", metric="macs", level="any", along="ratio", shape="convex"
    )
    verdict = Verdict(
        kind=VerdictKind.PASS, cell=measured("baseline", "macs", 1).cell, metric="macs along ratio", group="size",
        shape=shape, sweep=tuple(found["technique"][1:]),
    )  # fmt: skip
    elsewhere = replace(verdict, cell=replace(verdict.cell, device="cuda:0"))
    assert "  macs convex, slack 0: pass" == text(found, [verdict, elsewhere]).split("\n\n")[0].splitlines()[-1]
    assert 1 == markdown(found, [verdict, elsewhere]).count("- macs convex, slack 0: pass")


def test_the_markdown_has_a_table_for_each_sweep():
    """Below one heading; every line has as many cells."""
    lines = markdown(table(0.3, 0.5, 0.7)).splitlines()
    assert "## Sweeps" == lines[0]
    assert {6} == {line.count("|") for line in lines if line.startswith("|")}


def test_a_run_without_a_sweep_has_no_table():
    """Two points are none."""
    assert ("", "") == (text(table(0.3, 0.5)), markdown(table(0.3, 0.5)))


def test_scores_of_test_items_are_said_to_be_no_ground_for_a_choice():
    """A sweep on validation items may be chosen from, and one without scores chooses by nothing."""
    found = table(0.3, 0.5, 0.7)
    assert "a value that they choose looks better than it is" in " ".join(text(found).split())
    assert "`suite search` chooses on validation items" in markdown(found)
    assert all(len(line) <= 80 for line in text(found).split("\n\n")[-1].splitlines())
    validated = found.assign(workload=found["workload"] + "@validation")
    assert "test items" not in text(validated)
    assert "test items" not in markdown(found.assign(accuracy=None))
