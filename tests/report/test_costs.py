"""What cells cost by the user's prices: derived from seconds and throughput when a table is made."""
# the expected value stands on the left

from dataclasses import replace

import page_samples
import pytest
from samples import RUN, figures, header

from suite.cli.main import main
from suite.core.prices import Prices
from suite.report.costs import COSTS, costs
from suite.report.frames import records, tidy
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import tradeoffs

PRICES = Prices(currency="EUR", hour=3.6)  # a thousandth a second
TIMED = [*RUN, *figures("static_int8", throughput=2000.0)]
FILE = """currency = "EUR"
source = "<b>our</b> list"
date = 2026-11-23

[hour]
cpu-x86_64-test-2c = 3.6
"""


def rows_of(run, prices=PRICES):
    return {row["technique"]: row for row in records(tradeoffs(tidy(header(), run, ()), header().scores, prices))}


def by_metric(technique, run=TIMED):
    return {found.metric: found for found in run if found.cell.technique == technique}


def test_a_training_costs_its_seconds_and_a_million_items_the_time_that_serves_them():
    """10 s in [9.5, 10.5], and 500 s at 2000 items/s, at a thousandth of a euro a second."""
    found = costs(by_metric("static_int8"), PRICES)
    assert {
        "training_cost": pytest.approx(0.01), "training_cost_low": pytest.approx(0.0095),
        "training_cost_high": pytest.approx(0.0105), "cost_per_million": pytest.approx(0.5), "currency": "EUR",
    } == found  # fmt: skip


def test_electricity_counts_as_well():
    """100 W at 0.36 a kWh are a hundred-thousandth a second."""
    found = costs(by_metric("static_int8"), replace(PRICES, kwh=0.36, watts=100.0))
    assert 0.505 == pytest.approx(found["cost_per_million"])


@pytest.mark.parametrize("prices", [Prices(), Prices(kwh=0.3), Prices(items_per_day=1e6)])
def test_without_a_price_of_an_hour_nothing_costs_anything_that_is_known(prices):
    assert [None] * 4 == list(costs(by_metric("static_int8"), prices).values())[:4]


def test_what_was_not_measured_or_was_disturbed_has_no_cost():
    """No guess from another cell."""
    disturbed = {"throughput": replace(by_metric("static_int8")["throughput"], suspect="other processes ran")}
    assert [None] * 4 == list(costs(disturbed, PRICES).values())[:4]
    assert [None] * 4 == list(costs({}, PRICES).values())[:4]


def test_a_table_without_prices_has_no_column_of_costs():
    table = tradeoffs(tidy(header(), TIMED, ()), header().scores)
    assert set() == set(COSTS) & set(table.columns)
    assert "" == table.attrs["prices"]


def test_a_table_with_prices_has_the_costs_of_each_cell_and_says_where_they_come_from():
    rows = rows_of(TIMED)
    assert (0.5, "EUR") == (pytest.approx(rows["static_int8"]["cost_per_million"]), rows["static_int8"]["currency"])
    assert 1.0 == pytest.approx(rows["baseline"]["cost_per_million"])
    assert "EUR 3.6 an hour" == tradeoffs(tidy(header(), TIMED, ()), header().scores, PRICES).attrs["prices"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run below an otherwise empty working folder."""
    folder = RunFolder.create(tmp_path / "reports", header())
    folder.append(*TIMED)
    monkeypatch.chdir(tmp_path)
    return folder.path


def test_the_report_shows_costs_in_markdown_csv_and_page_with_their_source(run, tmp_path, capsys):
    """The source is the user's text, and no markup of the page."""
    (tmp_path / "prices.toml").write_text(FILE, "utf-8")
    assert 0 == main(["report", str(run), "--page", "--prices", "prices.toml"])
    said = capsys.readouterr().out
    assert "- prices: EUR 3.6 an hour of cpu-x86_64-test-2c (prices.toml, &lt;b>our&lt;/b> list, 2026-11-23)" in said
    assert "EUR a million items" in said
    assert "EUR a training" in said
    assert "cost_per_million,currency" in (run / "tradeoffs.csv").read_text("utf-8").splitlines()[0]
    page = (run / "index.html").read_text("utf-8")
    assert (
        "<dt>prices</dt><dd>EUR 3.6 an hour of cpu-x86_64-test-2c "
        "(prices.toml, &lt;b&gt;our&lt;/b&gt; list, 2026-11-23)</dd>" in page
    )


def test_the_setting_names_the_file_for_every_report(run, tmp_path, capsys):
    """Relative to pyproject.toml."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "prices.toml").write_text(FILE, "utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.tradeoff-suite]\nprices = "own/prices.toml"', "utf-8")
    assert 0 == main(["report", str(run)])
    assert "EUR a million items" in capsys.readouterr().out


def test_a_machine_without_a_price_is_one_line_with_file_and_line(run, tmp_path, capsys):
    (tmp_path / "prices.toml").write_text("[hour]\nother = 1", "utf-8")
    assert 11 == main(["report", str(run), "--prices", "prices.toml"])
    said = capsys.readouterr().err
    assert said.startswith("suite: prices.toml:1: no price of an hour of cpu-x86_64-test-2c (family cpu-x86_64-avx2)")
    assert 1 == len(said.splitlines())


def test_costs_are_never_stored(run, tmp_path):
    """Neither in the records nor as expectations: prices change without any measurement."""
    before = (run / "results.jsonl").read_bytes()
    (tmp_path / "prices.toml").write_text(FILE, "utf-8")
    assert 0 == main(["report", str(run), "--page", "--prices", "prices.toml"])
    assert before == (run / "results.jsonl").read_bytes()


def test_a_page_of_a_run_without_prices_does_not_speak_of_them(tmp_path):
    folder = page_samples.small(tmp_path)
    assert 0 == main(["report", str(folder.path), "--page"])
    assert "<dt>prices</dt>" not in (folder.path / "index.html").read_text("utf-8")
