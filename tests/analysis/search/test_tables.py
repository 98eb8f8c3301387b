"""The front as a table."""
# the expected value stands on the left

import csv

from search_settings import OBJECTIVES

from suite.analysis.search import tables
from suite.analysis.search.optimize import MeasuredComposition


def found(name, speedup, size):
    return MeasuredComposition(
        composition=name, figures={"speedup": (speedup, 0.9 * speedup, None), "artefact_bytes": (size,) * 3}
    )


ALL = [found("slow", 1.0, 2e4), found("fast", 2.0, 3e4), found("beaten", 1.5, 4e4), found("large", 9.0, 2e5)]


def test_the_front_leaves_out_what_is_beaten():
    """In objectives and bounded metrics; the fastest first."""
    assert ["large", "fast", "slow"] == [one.composition for one in tables.front(ALL, OBJECTIVES)]


def test_the_winner_is_feasible():
    """The fastest is too large."""
    assert ["fast"] == [one.composition for one in tables.winners(ALL, OBJECTIVES)]


def test_the_terminal_shows_units_and_feasibility():
    """Columns are aligned."""
    assert [
        "composition  speedup  artefact_bytes  feasible",
        "fast         2        30 kB           yes",
    ] == tables.lines(ALL[1:2], OBJECTIVES)


def test_the_files_hold_the_front(tmp_path):
    """CSV in the metrics' own units with ends of intervals, Markdown with a note."""
    page, table = tables.write(tmp_path, ALL[:2], OBJECTIVES, "2 measured.")
    assert " ".join(page.read_text("utf-8").split()).endswith("| fast | 2 | 30 kB | yes | 2 measured.")
    with table.open(newline="") as file:
        row = list(csv.DictReader(file))[1]
    assert ("fast", "2.0", "1.8", "", "30000.0") == (
        row["composition"], row["speedup"], row["speedup_low"], row["speedup_high"], row["artefact_bytes"],
    )  # fmt: skip
