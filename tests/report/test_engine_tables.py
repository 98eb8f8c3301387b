"""The table of a run's engines, from its records."""
# the expected value stands on the left

from engine_samples import ENGINES, HEADER, served
from samples import RUN, header

from suite.report.engine_tables import engine_table, engines_csv, engines_markdown, gains_of, split_runtime
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write


def test_a_row_says_what_ran_and_what_each_part_gains():
    """Eager cells have no row; their precision makes them partners."""
    table = engine_table(HEADER, [*ENGINES, *served("compiled", 1.5)]).set_index("technique")
    assert ["openvino", "openvino_int8", "compiled"] == list(table.index)
    row = table.loc["openvino_int8"]
    assert ("openvino", "int8", "int8 on CPU 90.0 %, fp64 on CPU 10.0 %") == (row.engine, row.precision, row.ran)
    assert (6.0, 3.0, 2.0, 3.0) == (row.speedup, row.engine_gain, row.precision_gain, row.equal_precision_gain)
    assert "static_int8" == row.equal_precision_partner
    assert 1.5 == table.loc["compiled", "engine_gain"]


def test_an_engine_that_does_not_say_what_it_ran_has_no_precision():
    """Its name is no evidence; torch computes in other code as before."""
    table = engine_table(HEADER, [*served("openvino_int8", 6.0), *served("compiled", 1.5)]).set_index("technique")
    assert {"openvino_int8": "unknown", "compiled": "fp32"} == dict(table["precision"])
    assert table["engine_gain"].isna()["openvino_int8"]


def test_the_run_folder_gets_the_table_and_the_report_shows_it(tmp_path):
    """Beside the trade-offs."""
    folder = RunFolder.create(tmp_path, HEADER)
    folder.append(*RUN, *ENGINES)
    write(folder)
    assert "openvino_int8" in (folder.path / "engines.csv").read_text("utf-8")
    shown = (folder.path / "tradeoffs.md").read_text("utf-8")
    assert "## Engines" in shown
    assert "2.00x [1.74, 2.31]" in shown


def test_a_run_without_engines_has_no_such_table(tmp_path):
    """Neither as a file nor in the report."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(*RUN)
    write(folder)
    assert not (folder.path / "engines.csv").exists()
    assert ("", None) == (engines_markdown(gains_of(header(), RUN)), engines_csv(gains_of(header(), RUN)))


def test_a_composition_is_parted_into_what_runs_it_and_the_rest():
    """A text that is no composition is its own name."""
    assert ("openvino", "pruned(ratio=0.5)") == split_runtime("pruned(ratio=0.5)+openvino", ["openvino"])
    assert ("openvino", "baseline") == split_runtime("openvino", ["openvino"])
    assert ("eager", "a b") == split_runtime("a b", ["openvino"])
