"""`suite plan` and `suite roi` as they are typed, and what they print."""
# the expected value stands on the left

import json
from dataclasses import replace

import pytest
from samples import CONTROL, PRUNED, RUN, UNAVAILABLE, WORKLOAD, header, measured

from suite.analysis.plan.cells import gathered
from suite.analysis.plan.choose import best_under
from suite.analysis.plan.layout import aligned
from suite.analysis.plan.render_text import command, text
from suite.cli.main import main
from suite.core.prices import EXAMPLE
from suite.report.results.folder import RunFolder, point_latest


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    """The latest run of an otherwise empty folder, in a terminal of 100 characters."""
    folder = RunFolder.create(tmp_path / "reports", header())
    folder.append(*RUN, UNAVAILABLE)
    point_latest(tmp_path / "reports", folder.path.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


def test_plan_answers_from_the_latest_run(capsys):
    """The winner, its use of the budget, the command that measures it again."""
    assert 0 == main(["plan", "--budget", "bytes=300kB", "--at-least", "speedup=1.5"])
    out = capsys.readouterr().out
    assert "digits_cnn on cpu: best accuracy within artefact_bytes <= 300 kB, speedup >= 1.5" in out
    assert "winner: static_int8" in out
    assert "225 kB (75 %)" in out
    assert f"{PRUNED} 97.00 % [96.00, 98.00]" in out
    assert "baseline: artefact_bytes 900 kB is 600 kB over (200 %); speedup 1 is 0.5 short (33.3 %)" in out
    assert "not measured, unavailable: pure_fp16: no fp16 kernels" in out
    assert "again: suite bench --workload digits_cnn --technique static_int8 --device cpu" in out


def test_nothing_that_fits_is_exit_code_1(capsys):
    """With the nearest cell and its misses."""
    assert 1 == main(["plan", "--budget", "bytes=90kB"])
    out = capsys.readouterr().out
    assert "no cell fits" in out
    assert f"nearest: {PRUNED}, artefact_bytes 180 kB is 90 kB over (100 %)" in out


def test_figures_that_were_not_measured_are_said(capsys):
    """Nobody has a latency here."""
    assert 1 == main(["plan", "--budget", "latency_p99=5ms"])
    out = capsys.readouterr().out
    assert "no cell has a score and a figure for every budget" in out
    assert "static_int8: latency_p99 was not measured" in out


def test_a_plan_for_machines(tmp_path):
    """The same answer, figures in the metric's unit."""
    main(["plan", "--budget", "bytes=300kB", "--json", "plan.json"])
    (answer,) = json.loads((tmp_path / "plan.json").read_text("utf-8"))["answers"]
    assert ("static_int8", "cpu", "surely") == (
        answer["winner"]["technique"],
        answer["device"],
        answer["winner"]["fit"],
    )
    (budget,) = answer["winner"]["budgets"]
    assert (225_000, 0.75, 0) == (budget["figure"]["value"], budget["used"], budget["excess"])
    assert ["baseline", CONTROL] == [one["technique"] for one in answer["left_out"]]
    assert 600_000 == answer["left_out"][0]["budgets"][0]["excess"]
    assert ["pure_fp16"] == [one["technique"] for one in answer["failures"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "--budget", "byte=1kB"], "unknown metric 'byte'; did you mean bytes"),
        (["plan", "--budget", "bytes=1ms"], "is in seconds (ms), but artefact_bytes is measured in bytes (B)"),
        (["plan", "--workload", "digit_cnn"], "unknown workload 'digit_cnn'; did you mean digits_cnn"),
        (["plan", "--score", "acuracy"], "unknown score 'acuracy'; did you mean accuracy"),
        (["plan", "nowhere"], "cannot read nowhere/results.jsonl"),
        (["plan", "nowhere.csv"], "cannot read nowhere.csv"),
        (["plan", "--json", "no/folder.json"], "cannot write no/folder.json"),
        (["roi", "--prices", "none.toml"], "`suite roi --example > prices.toml` writes one"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_11(arguments, message, capsys):
    """Never a traceback."""
    assert 11 == main(arguments)
    assert message in capsys.readouterr().err


def test_the_command_says_how_the_run_was_made():
    """Profile, threads, modules; names that a shell would split are quoted."""
    (answer,) = best_under(gathered(RUN))
    made = header(profile="quick", load=("bench.py",), where=replace(header().where, threads=2))
    assert (
        f"suite bench --workload {WORKLOAD} --technique '{PRUNED}' --device cpu --quick --threads 2 --load bench.py"
        == command(answer, PRUNED, made)
    )


def test_disturbed_figures_are_not_used_and_the_reason_is_said():
    """Whatever they seem to gain."""
    suspect = measured("static_int8", "speedup", 2.0, low=1.9, high=2.1, suspect="the null arm is off")
    out = text(best_under(gathered([*RUN, suspect]), ["speedup>=1.5", "bytes=300kB"]), 100)
    assert "chosen on the test items" in out
    assert f"winner: {PRUNED}" in out
    assert "static_int8: speedup was disturbed and is not used, the null arm is off" in out


def test_the_baseline_is_as_fast_as_itself_whatever_its_copy_was():
    """An A/A ratio of 2.58 in a disturbed sample is no speed-up."""
    odd = measured("baseline", "speedup", 2.58, low=2.3, high=2.9, suspect="2 preemptions")
    (answer,) = best_under(gathered([*(m for m in RUN if m.metric != "speedup"), odd]), ["speedup>=1.5"])
    assert "baseline: speedup 1 is 0.5 short" in text([answer], 100)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_but_the_command_is_wider_than_the_terminal(width):
    """Columns are left out, which is said."""
    out = text(best_under(gathered(RUN), ["speedup>=0.5", "bytes=1MB"]), width)
    assert all(len(line) <= width for line in out.splitlines() if "again:" not in line)


def test_columns_are_left_out_from_the_right_and_named():
    """The first ones matter most."""
    lines = aligned(["a", "b"], {"one": ["1", "2"], "two": ["3" * 30, "4"]}, 30, elsewhere="see there")
    assert ["  technique  one", "  a            1", "  b            2"] == lines[:3]
    assert "  not shown at this width: two; see there" == " ".join(lines[3:]).replace("     ", " ")


def test_roi_shows_gains_and_what_they_are_worth(capsys, tmp_path):
    """With the example's prices."""
    (tmp_path / "prices.toml").write_text(EXAMPLE, "utf-8")
    assert 0 == main(["roi", "--prices", "prices.toml", "--json", "roi.json"])
    out = capsys.readouterr().out
    for part in ("no effect above 0.20        0.20", "-50.0 [-52.4, -47.4] %", "pays back", "EUR per million"):
        assert part in out
    assert f"quality paired through {CONTROL}: {PRUNED}" in out
    assert "energy: computed from 65 W" in out
    returns = {one["technique"]: one for one in json.loads((tmp_path / "roi.json").read_text("utf-8"))["returns"]}
    assert 0.75 == returns["static_int8"]["bytes_saved"]["value"]
    assert (None, True) == (returns[CONTROL]["pays_back"]["days"], returns[CONTROL]["pays_back"]["never"])


def test_roi_without_prices_says_what_is_left_out(capsys):
    """One sentence; the gains stand."""
    assert 0 == main(["roi"])
    out = capsys.readouterr().out
    assert "No prices: give --prices" in out
    assert "pays back" not in out


def test_each_missing_price_is_one_sentence(capsys, tmp_path):
    """Only a machine hour is known."""
    (tmp_path / "prices.toml").write_text("hour = 2", "utf-8")
    main(["roi", "--prices", "prices.toml"])
    out = capsys.readouterr().out
    assert "No items_per_day: pay-back times are left out." in out
    assert "No watts: energy is left out if it was not measured." in out
    assert "money per million" in out


def test_the_example_of_prices_is_printed(capsys):
    """Ready to be redirected into a file."""
    assert 0 == main(["roi", "--example"])
    assert EXAMPLE == capsys.readouterr().out
