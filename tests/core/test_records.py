"""What names a cell."""
# the expected value stands on the left

import json
from dataclasses import replace

import samples

from suite.core.records import Cell
from suite.report.results.lines import decode, encode

CELL = Cell(workload="digits_cnn", technique="narrow(width=0.25)", device="cpu")


def test_one_rank_is_no_part_of_a_name():
    """Names of results and expectations stay what they were."""
    assert "digits_cnn-narrow(width=0.25)-cpu" == str(CELL)


def test_a_cell_of_several_ranks_is_another_one():
    """It is measured and stored beside that of one."""
    assert "digits_cnn-narrow(width=0.25)-cpu-x4" == str(replace(CELL, ranks=4))
    assert replace(CELL, ranks=4) != CELL


def test_results_of_before_are_of_one_rank():
    """Their lines do not say so."""
    line = json.loads(encode(samples.measured("baseline", "parameters", 3)))
    assert 1 == line["cell"].pop("ranks")
    assert 1 == decode(json.dumps(line)).cell.ranks
