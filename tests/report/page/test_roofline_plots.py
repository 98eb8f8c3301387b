"""The roofline of the page: cells by their work, bytes and rate, below the ceilings that the header has."""
# the expected value stands on the left

from dataclasses import replace

import page_samples
import pytest
from samples import figures, measured

from suite.report.page import RunContent
from suite.report.page.roofline_plots import roofline_plots

CEILINGS = {"float32": 50e9, "bfloat16": 200e9, "copy": 10e9}


def moved(technique, value, *, batch=64):
    return measured(technique, "moved_bytes", value, conditions={"batch": batch})


CELL = [*figures("baseline", macs=1e6, throughput=1000.0), moved("baseline", 64e6)]


@pytest.fixture
def drawn(tmp_path):
    """``drawn(measurements, **header)``: the plot of one run, or ``None``."""

    def draw(found, **fields):
        fields = {"ceilings": CEILINGS, "precisions": {"pure_bf16": "bf16"}, **fields}
        folder = page_samples.write_run(tmp_path, found, **fields)
        plots = roofline_plots([RunContent.read(folder)])["plots"]
        return plots[0] if plots else None

    return draw


def test_a_cell_stands_at_its_flop_a_byte_and_its_flop_a_second(drawn):
    """Two for each multiply-accumulate: 2e6 an item, of a million bytes, a thousand times a second."""
    (cells,) = drawn(CELL)["cells"]
    assert {"name": "fp32", "x": [2.0], "y": [2e9], "text": ["digits_cnn baseline cpu"]} == cells


def test_the_slope_ends_at_the_last_ridge_and_each_type_begins_at_its_own(drawn):
    """5 FLOP a byte in float32, 20 in bfloat16."""
    copy, single, half = drawn(CELL)["ceilings"]
    assert ("copy", 20.0, 200e9) == (copy["name"], copy["x"][1], copy["y"][1])
    assert copy["y"][0] == pytest.approx(10e9 * copy["x"][0])
    assert copy["x"][0] < 2.0
    assert ("float32", 5.0, [50e9, 50e9]) == (single["name"], single["x"][0], single["y"])
    assert ("bfloat16", 20.0, [200e9, 200e9]) == (half["name"], half["x"][0], half["y"])


def test_cells_of_another_number_format_are_a_trace_of_their_own(drawn):
    """Their ceiling is another one."""
    half = [*figures("pure_bf16", macs=1e6, throughput=3000.0), moved("pure_bf16", 32e6)]
    assert ["fp32", "bf16"] == [cells["name"] for cells in drawn([*CELL, *half])["cells"]]


def test_a_network_with_early_exits_stands_at_its_mean_work(drawn):
    (cells,) = drawn([*CELL, measured("baseline", "mean_macs", 5e5)])["cells"]
    assert ([1.0], [1e9]) == (cells["x"], cells["y"])


def test_what_lacks_its_bytes_or_a_sound_rate_is_left_out_and_counted(drawn):
    """As of compiled cells; the caption says both, and the ceilings in numbers."""
    compiled = figures("compiled", macs=1e6, throughput=2000.0)
    disturbed = [replace(measured("busy", "throughput", 9.0), suspect="other processes ran"), moved("busy", 1e6)]
    plot = drawn([*CELL, *compiled, *disturbed, measured("busy", "macs", 1e6)])
    assert 1 == len(plot["cells"][0]["x"])
    assert "1 cells; 2 left out (compiled or of another engine" in plot["title"]
    assert "matrix products float32 50, bfloat16 200 GFLOP/s, copies 10 GB/s" in plot["title"]


@pytest.mark.parametrize("ceilings", [{}, {"copy": 1e9}, {"float32": 1e9}, {"copy": 0.0, "float32": 1e9}])
def test_without_both_kinds_of_ceiling_nothing_is_drawn(drawn, ceilings):
    """Nothing is taken from another machine, or from a data sheet."""
    assert drawn(CELL, ceilings=ceilings) is None


def test_many_cells_are_thinned_and_the_caption_says_so(drawn, monkeypatch):
    """Never more than a trace may have."""
    monkeypatch.setattr("suite.report.page.roofline_plots.MOST_POINTS", 10)
    many = [
        one for number in range(25) for one in (
            *figures(f"pruned(share={number})", macs=1e6 + number, throughput=1000.0),
            moved(f"pruned(share={number})", 64e6),
        )
    ]  # fmt: skip
    plot = drawn(many)
    assert 10 == sum(len(cells["x"]) for cells in plot["cells"])
    assert "10 of 25 cells are drawn" in plot["title"]
