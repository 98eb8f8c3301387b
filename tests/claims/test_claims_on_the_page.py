"""Claims that were judged on several machines are a table of the report page."""
# the expected value stands on the left

from claim_samples import claim
from test_matrix import FAST, ledger

from suite.cli.report_page import findings


def test_judged_claims_of_all_machines_are_on_the_page(tmp_path, monkeypatch):
    """The latest ledger of each."""
    monkeypatch.setattr("suite.cli.claims_ledger.claims_of", lambda: (claim(),))
    for place, machine in (("claims", "a-1"), ("claims/b-2", "b-2")):
        ledger(machine, FAST).write(tmp_path / place)
    found = findings([], tmp_path).claims
    assert ["a-1", "b-2"] == list(found.machines)
    assert [["A-1", "It is twice as fast.", "holds", "holds", "transfers"]] == list(found.rows)
