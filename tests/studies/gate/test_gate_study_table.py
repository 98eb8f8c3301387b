"""The table of the study: what is counted for whom, and simulated runs."""
# the expected value stands on the left

import csv
import io

import pytest

from studies.gate import plots
from studies.gate.peers import PEERS
from studies.gate.table import (
    GATE,
    RUNS,
    blocked_runs,
    comma_separated,
    counts,
    markdown,
    predicted,
    remarks,
    share,
)

BOUND = {
    "at": "2026-11-26T00:00:00", "low": 0.99, "noise": 0.003, "values": [1.0] * 5, "versions": {"torch": "2"},
    "others": 0.0,
}  # fmt: skip


def decision(planted=0.0, verdict="pass", *, load="quiet", peers=False, low=0.998, high=1.002, processes=(1.0,)):
    return {
        "planted": planted, "verdict": verdict, "load": load, "peers": dict.fromkeys(PEERS, peers), "seconds": 4.0,
        "low": low, "high": high, "processes": list(processes), "fresh": True,
    }  # fmt: skip


def test_a_false_alarm_and_a_miss_are_told_apart():
    """Regressed is wrong on identical code, pass is wrong on planted work, inconclusive is neither."""
    rows = [decision(verdict="regressed"), decision(0.05), decision(0.05, "inconclusive")]
    same, slower = (count for count in counts(rows) if count.rule == GATE)
    assert (1, 0, 0) == (same.regressed, same.inconclusive, same.passed)
    assert (0, 1, 1) == (slower.regressed, slower.inconclusive, slower.passed)
    assert "1 false alarms" in markdown([same])
    assert "1 missed" in markdown([slower])


def test_each_rule_has_its_own_line_for_each_load():
    """What was not measured has none; quiet stands first."""
    found = counts([decision(load="busy", peers=True), decision()])
    assert ["quiet"] * 4 + ["busy"] * 4 == [count.load for count in found]
    assert [0, 0, 0, 0, 0, 1, 1, 1] == [count.regressed for count in found]


def test_peers_that_were_not_asked_have_no_part_in_their_counts():
    """They count over the decisions in which they were; without any they have no line."""
    silent = decision() | {"peers": {}}
    gate, *peers = counts([silent, silent, decision(peers=True)])
    assert 3 == gate.n
    assert [(1, 1)] * len(PEERS) == [(count.n, count.regressed) for count in peers]
    assert [GATE] == [count.rule for count in counts([silent])]


def test_a_sample_predicts_one_of_later_where_their_intervals_meet():
    """Each is in one pair, with one half of the study later; one that is left over is in none."""
    near, far = decision(), decision(low=1.01, high=1.02)
    assert (1, 2) == predicted([near, near, near, far, near])
    assert (2, 2) == predicted([near, far, near, far])
    assert (0, 0) == predicted([near])
    assert "half of the study apart, meet in 1 of 1 pairs" in "\n".join(remarks([near, near], BOUND))


def test_decisions_tell_how_many_processes_took_them_where_all_know():
    """Those of one process have more in common; earlier sessions kept no name."""
    known = [{**decision(), "process": name} for name in ("a", "a", "b")]
    assert "from 3 decisions on identical code in 2 processes." in "\n".join(remarks(known, BOUND))
    assert "from 4 decisions on identical code." in "\n".join(remarks([*known, decision()], BOUND))


def test_a_share_has_its_interval():
    """Wilson's: none of 100 says less than 3.7 %."""
    assert "0.0% [0.0%, 3.7%]" == share(0, 100)


def test_the_csv_holds_the_figures_of_the_table():
    """One row for each line, with intervals as numbers."""
    (row, *_) = csv.DictReader(io.StringIO(comma_separated(counts([decision()]))))
    assert ("quiet", "1", "0") == (row["load"], row["n"], row["regressed"])
    assert float(row["regressed_low"]) == 0.0 < float(row["regressed_high"]) < 1.0


def test_runs_are_blocked_by_regressions_beyond_their_bar_alone():
    """Forty timings have a bar further off than one: what lies between blocks none of them."""
    beyond, between = (decision(verdict="regressed", high=high) for high in (0.9, 0.9899))
    assert RUNS == blocked_runs([beyond], BOUND)
    assert 0 == blocked_runs([between], BOUND)
    assert 0 == blocked_runs([decision()], BOUND)
    assert 0 < blocked_runs([beyond, *[decision()] * 60], BOUND) < RUNS


def test_remarks_say_what_was_repeated_and_what_the_bound_is_worth():
    """The bound, fresh processes, simulated runs; and a bound that was recorded beside others."""
    said = "\n".join(remarks([decision(processes=(0.9, 0.9))], BOUND | {"others": 1.0}))
    assert "low = 0.99" in said
    assert "1 decisions were repeated, 1 of them in fresh processes" in said
    assert "--anew" in said
    assert f"of {RUNS} simulated runs" in said


def test_the_picture_is_a_png(tmp_path):
    """One panel for each load, with intervals at 0 and 1 that do not point the wrong way."""
    pytest.importorskip("matplotlib")
    path = plots.draw(counts([decision(), decision(0.05, "regressed", load="busy")]), tmp_path / "study.png")
    assert path.read_bytes().startswith(b"\x89PNG")
