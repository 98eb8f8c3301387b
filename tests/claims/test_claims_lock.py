"""The lock: what was fixed before results were seen, and what became of edits."""
# the expected value stands on the left

from dataclasses import replace

import pytest
from claim_samples import claim

from suite.claims.lock import ClaimsLock
from suite.core.errors import ExpectationFileError

BEFORE, AFTER = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def test_a_locked_claim_may_be_judged_and_an_unlocked_one_not():
    """The remedy is the command."""
    one = claim()
    assert "is not locked: `suite claims lock A-1`" in ClaimsLock().doubts([one], AFTER)["A-1"]
    assert {} == ClaimsLock().with_locked([one], BEFORE).doubts([one], AFTER)


def test_an_edit_is_shown_as_it_was_and_as_it_is():
    """Whichever field it is of that decides."""
    lock = ClaimsLock().with_locked([claim()], BEFORE)
    edited = claim('"speedup(ours) >= 1.5"')
    said = lock.doubts([edited], AFTER)["A-1"]
    assert 'holds: {"": "speedup(ours) >= 2"} -> {"": "speedup(ours) >= 1.5"}' in said


def test_an_amendment_counts_for_runs_that_start_later_only():
    """Old and new text are kept."""
    edited = claim('"speedup(ours) >= 1.5"')
    lock = ClaimsLock().with_locked([claim()], BEFORE).with_locked([edited], AFTER)
    assert "was edited on 2026-02-01" in lock.doubts([edited], "2026-01-15T00:00:00+00:00")["A-1"]
    assert {} == lock.doubts([edited], "2026-02-02T00:00:00+00:00")
    (amendment,) = lock.claims["A-1"].amendments
    assert {"holds": {"": "speedup(ours) >= 2"}} == amendment.was
    assert {"holds": {"": "speedup(ours) >= 1.5"}} == amendment.became


def test_a_note_or_an_expectation_is_no_edit():
    """They do not say what must hold."""
    lock = ClaimsLock().with_locked([claim()], BEFORE)
    assert {} == lock.doubts([claim(more='note = "see there"\nexpected = "refuted"')], AFTER)


def test_a_lock_is_read_as_it_was_written(tmp_path):
    """One claim a line; what is no lock is told."""
    lock = ClaimsLock().with_locked([claim()], BEFORE).with_locked([claim('"speedup(ours) >= 1.5"')], AFTER)
    lock.write(tmp_path / "claims.lock")
    assert lock == ClaimsLock.read(tmp_path / "claims.lock")
    assert 3 == len((tmp_path / "claims.lock").read_text("utf-8").splitlines())
    assert ClaimsLock() == ClaimsLock.read(tmp_path / "none.lock")
    (tmp_path / "claims.lock").write_text('{"A-1": 3}', "utf-8")
    with pytest.raises(ExpectationFileError, match="is no lock of claims"):
        ClaimsLock.read(tmp_path / "claims.lock")


def test_a_lock_whose_fields_do_not_belong_to_its_digest_is_told():
    """Somebody wrote the new digest into it, beside the old text."""
    lock = ClaimsLock().with_locked([claim()], BEFORE)
    forged = replace(lock.claims["A-1"], digest=claim('"speedup(ours) >= 1.5"').digest)
    said = ClaimsLock(claims={"A-1": forged}).doubts([claim('"speedup(ours) >= 1.5"')], AFTER)["A-1"]
    assert "has a lock whose fields are not those of its digest" in said
    assert "restore claims.lock" in said


@pytest.mark.parametrize("at", ["not a time", ""])
def test_a_lock_of_no_time_and_a_folder_in_its_place_are_told(tmp_path, at):
    """With the remedy."""
    forged = replace(ClaimsLock().with_locked([claim()], BEFORE).claims["A-1"], at=at)
    ClaimsLock(claims={"A-1": forged}).write(tmp_path / "claims.lock")
    with pytest.raises(ExpectationFileError, match=r"is no lock of claims: .*; restore it from git"):
        ClaimsLock.read(tmp_path / "claims.lock")
    with pytest.raises(ExpectationFileError, match=r"is no lock of claims: .*; restore it from git"):
        ClaimsLock.read(tmp_path)


def test_a_claim_that_was_locked_after_the_run_began_was_not_locked_before_the_look():
    """Its author may have seen the results; a computed one has none to see."""
    lock = ClaimsLock().with_locked([claim()], AFTER)
    assert "was locked on 2026-02-01" in lock.doubts([claim()], BEFORE)["A-1"]


def test_another_kind_is_an_edit():
    """Advice is never judged."""
    lock = ClaimsLock().with_locked([claim()], BEFORE)
    assert 'kind: "empirical" -> "advice"' in lock.doubts([claim(kind="advice")], AFTER)["A-1"]
