"""The main picture as SVG: equal runs give equal files, names are text, nothing is drawn of nothing."""
# the expected value stands on the left

import page_samples
import pytest
from samples import RUN

from suite.report.page import picture
from suite.report.page.run_content import RunContent

pytest.importorskip("matplotlib")


def drawn(folder, name="picture.svg"):
    return picture.draw([RunContent.read(folder)], folder.path / name)


def test_equal_runs_give_equal_pictures(tmp_path):
    """So that a committed one changes with its run alone."""
    folder = page_samples.small(tmp_path)
    assert drawn(folder).read_bytes() == drawn(folder, "again.svg").read_bytes()
    assert drawn(folder).read_text("utf-8").startswith("<?xml")


def test_names_are_neither_markup_nor_mathematics(tmp_path):
    folder = page_samples.hostile(tmp_path)
    assert "<img" not in drawn(folder).read_text("utf-8")


def test_nothing_is_drawn_without_a_speed_up(tmp_path):
    """Of a run of sizes, say."""
    folder = page_samples.write_run(tmp_path, [one for one in RUN if one.metric != "speedup"])
    assert drawn(folder) is None


def test_nothing_is_drawn_without_matplotlib(tmp_path, monkeypatch):
    """It comes with an extra."""
    monkeypatch.setattr(picture.importlib.util, "find_spec", lambda _: None)
    assert drawn(page_samples.small(tmp_path)) is None
