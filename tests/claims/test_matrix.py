"""Claims over machines: what transfers, and by which feature the others differ."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from claim_samples import claim, measured

from suite.claims import matrix, store
from suite.claims.evidence import ClaimEvidence
from suite.claims.judging import judge
from suite.core.errors import ResultsError
from suite.core.records import Where

FAST, SLOW = (2.5, 2.4, 2.6), (1.0, 0.9, 1.1)


def ledger(machine, figures, features=(), one=None, torch="2.15"):
    where = Where(machine=machine, family="cpu-x86_64", device="cpu", threads=1, versions={"torch": torch})
    findings = judge([one or claim()], ClaimEvidence.of([measured(*figures)]), where.levels)
    return store.judged(findings, where, features=features, commit="abc", run="run", started="2026")


def test_a_claim_that_holds_on_all_machines_transfers():
    """Of one machine nothing is known."""
    (row,) = matrix.matrix([claim()], [ledger("a-1", FAST), ledger("b-2", FAST)])
    assert row.transfers is True
    assert ["A-1", "It is twice as fast.", "holds", "holds", "transfers"] == matrix.rows([row], ["a-1", "b-2"])[0]
    (alone,) = matrix.matrix([claim()], [ledger("a-1", FAST)])
    assert (None, "-") == (alone.transfers, matrix.told(alone))


def test_a_claim_that_does_not_transfer_names_the_features_that_differ():
    """Those that all machines of one standing have and none of the other."""
    ledgers = [
        ledger("a-1", FAST, ["avx2", "amx_bf16"]),
        ledger("b-2", FAST, ["avx2", "amx_bf16", "avx512f"]),
        ledger("c-3", SLOW, ["avx2", "avx512f"]),
    ]
    (row,) = matrix.matrix([claim()], ledgers)
    assert "differs by amx_bf16" == matrix.told(row)
    each = [row, *[replace(row, apart=())] * 2, *[replace(row, apart=(), on={})] * 3]
    assert "2 transfer, 1 differ, 3 decided on fewer than two machines" == matrix.counts(each)


def test_versions_may_be_what_differs():
    """The same processor under another torch."""
    (row,) = matrix.matrix([claim()], [ledger("a-1", FAST), ledger("b-2", SLOW, torch="2.9")])
    assert "differs by torch 2.15, torch 2.9" == matrix.told(row)
    (row,) = matrix.matrix([claim()], [ledger("a-1", FAST), ledger("b-2", SLOW)])
    assert "differs; no feature tells these machines apart" == matrix.told(row)


def test_a_part_that_one_machine_leaves_open_is_no_difference():
    """Partly here and partly there; a part that contradicts is named, also of claims that are open."""
    parts = '{ x = "speedup(ours) > 2", y = "speedup(ours) < 0.5", z = "parameters(ours) < 1" }'
    one = claim(parts)
    (row,) = matrix.matrix([one], [ledger("a-1", FAST, one=one), ledger("b-2", (2.1, 1.9, 2.3), one=one)])
    assert (None, ()) == (row.transfers, row.apart)
    (row,) = matrix.matrix([one], [ledger("a-1", FAST, one=one), ledger("b-2", (1.0, 0.4, 1.1), one=one)])
    assert (False, ("x",)) == (row.transfers, row.apart)
    assert "differs (x); no feature tells these machines apart" == matrix.told(row)


def test_a_machine_that_did_not_judge_a_claim_has_a_dash():
    """In the table of text and in the file."""
    found = matrix.matrix([claim()], [ledger("a-1", FAST), ledger("b-2", FAST)])
    assert (
        "claim,statement,a-1,b-2,c-3,transfers\nA-1,It is twice as fast.,holds,holds,-,transfers\n"
    ) == matrix.comma_separated(found, ["a-1", "b-2", "c-3"])


def test_the_sources_say_which_claims_were_fixed_after_the_run():
    """An old run's results could be known when they were written."""
    rows = matrix.sources([ledger("a-1", FAST), replace(ledger("b-2", FAST), hindsight=True, commit=None)])
    assert [
        ["a-1", "cpu-x86_64", "abc", "2026", "locked before"],
        ["b-2", "cpu-x86_64", "", "2026", "in hindsight"],
    ] == rows


def test_a_finding_of_an_older_text_is_left_out_and_named():
    """It answered another question."""
    older = ledger("a-1", FAST, one=claim('"speedup(ours) >= 1.5"'))
    (row,) = matrix.matrix([claim()], [older, ledger("b-2", FAST)])
    assert ({"b-2": "holds"}, ("a-1",)) == (row.on, row.outdated)


def test_a_ledger_is_read_as_it_was_written(tmp_path):
    """With its evidence; another schema and other files are told with the remedy."""
    made = ledger("a-1", FAST, ["avx2"])
    path = made.write(tmp_path)
    assert made == store.JudgedLedger.read(tmp_path)
    assert {"w/fast speedup": (2.5, 2.4, 2.6)} == made.findings[0].used
    path.write_text(path.read_text("utf-8").replace('"schema": 1', '"schema": 7'), "utf-8")
    with pytest.raises(ResultsError, match="has schema 7, known is 1: run `suite claims run` again"):
        store.JudgedLedger.read(tmp_path)
    path.write_text("{}", "utf-8")
    with pytest.raises(ResultsError, match="is no judged ledger"):
        store.JudgedLedger.read(tmp_path)
    with pytest.raises(ResultsError, match="does not exist; `suite claims run` writes it"):
        store.JudgedLedger.read(tmp_path / "none")


def test_opposite_parts_do_not_transfer():
    """Both machines say partly."""
    parts = '{ x = "speedup(ours) > 2", y = "speedup(ours) < 2" }'
    one = claim(parts)
    (row,) = matrix.matrix([one], [ledger("a-1", FAST, one=one), ledger("b-2", SLOW, one=one)])
    assert row.transfers is False
    assert 'A-1,It is twice as fast.,partly,partly,"differs (x, y)' in matrix.comma_separated([row], ["a-1", "b-2"])


def test_a_figure_that_is_no_number_is_stored_as_none(tmp_path):
    """JSON has no such number, and the file has to be read again."""
    one = claim('"gompertz(1) > 0"', kind="mathematics", more='said = 2.0\nmeasured = "1 / 0"')
    made = ledger("a-1", FAST, one=one)
    made.write(tmp_path)
    assert None is store.JudgedLedger.read(tmp_path).findings[0].figure
