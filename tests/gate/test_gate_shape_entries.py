"""Shapes of sweeps in expectation files: understood, refused with their line, chosen by level, kept when recording."""
# the expected value stands on the left

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from expect_samples import MACHINE, here, measurement, run_header

from suite.core.errors import ExpectationFileError
from suite.gate import Store, load, load_all, load_shapes, record
from suite.gate.files.parse import parse

PATH = Path("any/digits_cnn.toml")
SHAPE = """schema = 1

# by hand: what pruning does
["magnitude_pruning".shape.accuracy]
along = "sparsity"   # of all weights
shape = "non-increasing"
slack = 0.005
"""


def written(folder, text, level="any"):
    path = folder / level / "digits_cnn.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_shape_is_read_with_its_line():
    """And is no entry of a point."""
    found = parse(SHAPE + 'xfail = { reason = "known", until = 2026-12-31 }\n', PATH)
    [shape] = found.shapes
    assert ((), "any", "digits_cnn", 4) == (found.entries, shape.level, shape.workload, shape.line)
    assert ("magnitude_pruning", "accuracy", "sparsity") == (shape.technique, shape.metric, shape.along)
    assert ("non-increasing", 0.005) == (shape.shape, shape.slack)
    assert date(2026, 12, 31) == shape.xfail.until


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('shape = "non-increasing"', 'shape = "falling"', r":6: unknown shape 'falling'"),
        ('shape = "non-increasing"', "", r":4: shape is missing; add shape = "),
        ('along = "sparsity"   # of all weights', "", r":4: along is missing; add along = "),
        ("slack = 0.005", "slack = -1", r":7: slack is the allowed violation"),
        ("slack = 0.005", "slak = 1", r":7: unknown key 'slak'; did you mean slack"),
        (".accuracy]", ".acuracy]", r":4: unknown metric 'acuracy'; did you mean accuracy"),
        ("magnitude_pruning", "magnitude_pruning(sparsity=0.5)", r"fixes it; leave sparsity out of the name"),
        ("magnitude_pruning", "magnitude pruning", r":4: cannot read the composition"),
        (".shape.accuracy]", ".shape]", r"is no shape of a metric"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old, new, said):
    """No fault is read as something else."""
    with pytest.raises(ExpectationFileError, match=said):
        parse(SHAPE.replace(old, new, 1), PATH)


def test_recording_adds_points_and_leaves_shapes_comments_and_order(tmp_path):
    """No shape is ever written by a run."""
    path = written(tmp_path, SHAPE)
    done = record([measurement("parameters", 100.0)], header=run_header(), directory=tmp_path)
    text = path.read_text("utf-8")
    assert (1, 1) == (done.added, len(load(path)))
    assert SHAPE.partition("# by hand")[2] in text
    assert load_shapes(tmp_path)[0].slack == 0.005  # as written above


def test_an_entry_after_a_shape_is_updated_in_its_place(tmp_path):
    """A table below a shape's belongs to no shape."""
    path = written(tmp_path, SHAPE)
    record([measurement("parameters", 100.0)], header=run_header(), directory=tmp_path)
    path.write_text(path.read_text("utf-8") + SHAPE.partition("\n\n")[2].replace("accuracy", "macs"), "utf-8")
    done = record([measurement("parameters", 90.0)], header=run_header(), directory=tmp_path)
    assert (1, ["accuracy", "macs"]) == (done.updated, [shape.metric for shape in load_shapes(tmp_path)])
    assert [90] == [entry.value for entry in load_all(tmp_path)]


def test_the_most_specific_level_wins_and_the_first_folder(tmp_path):
    """As for entries."""
    written(tmp_path / "shipped", SHAPE.replace("0.005", "0.5"), MACHINE)
    written(tmp_path / "own", SHAPE)
    written(tmp_path / "own", SHAPE.replace("0.005", "0.25"), MACHINE)
    store = Store([tmp_path / "own", tmp_path / "shipped"])
    assert [0.25] == [shape.slack for shape in store.shapes("digits_cnn", here())]
    assert [0.005] == [shape.slack for shape in store.shapes("digits_cnn", here(machine="another"))]
    assert () == store.shapes("stdlib_lm", here())
