"""The suite's own ledger: complete, locked, and what is computed stands as expected."""
# the expected value stands on the left

import re
from pathlib import Path

import pytest

from suite.claims.claim import ANYWHERE, DECIDED, ClaimKind, Standing
from suite.claims.evidence import ClaimEvidence
from suite.claims.judging import judge
from suite.claims.ledger import read_ledger
from suite.claims.lock import NAME, ClaimsLock
from suite.claims.store import JudgedLedger
from suite.core.machine.hardware import where
from suite.registry import REGISTRY
from suite.registry.settings import shipped_expectations

EVIDENCE = sorted((Path(__file__).parents[2] / "reports" / "claims").glob("*/claims.json"))
SECTIONS = {"D": 8, "C": 10, "M": 9, "K": 20, "S": 11, "B": 4, "F": 12}
QUESTIONS = (*("1a", "1b", "1c", "2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d", "4a", "4b", "4c", "4d"), "5")
MOST_CELLS = 45  # some 60 seconds each on two cores
SLOW = re.compile(
    "fails|warns|printed|tool_works|torchvision_|published_|article_|amdahl|linear_int8|half_|accumulat|adam_|techniques_"
)


@pytest.fixture(scope="module")
def ledger():
    REGISTRY.workloads  # noqa: B018  # their scores are metrics
    return read_ledger(sorted(folder().glob("*.toml")))


def folder():
    return Path(shipped_expectations()) / "claims"


def test_no_claim_of_the_article_is_missing(ledger):
    """By the numbers of its sections."""
    names = {claim.name for claim in ledger}
    numbered = {f"{section}-{number:02}" for section, count in SECTIONS.items() for number in range(1, count + 1)}
    assert set() == (numbered | {f"Q{name}" for name in QUESTIONS} | {"H-01", "S-05b"}) - names


def test_every_claim_is_locked_as_it_stands(ledger):
    """The lock is committed with the ledger."""
    lock = ClaimsLock.read(folder() / NAME)
    assert {} == lock.doubts(ledger, "")
    assert set(lock.claims) == {claim.name for claim in ledger}


def test_a_full_ledger_measures_few_cells(ledger):
    """Claims share them."""
    assert len({cell for claim in ledger for cell in claim.texts}) <= MOST_CELLS


def test_a_claim_without_cells_is_computed_or_says_what_it_lacks(ledger):
    """All others name what they measure."""
    for claim in ledger:
        assert claim.texts or claim.parts or claim.kind is ClaimKind.ADVICE, claim.name


@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: path.parent.name)
def test_what_committed_evidence_decided_is_expected_there(ledger, path):
    """So that another verdict is a regression; of what an interval leaves open there nothing is expected."""
    judged = JudgedLedger.read(path)
    levels = (judged.machine, judged.family, ANYWHERE)
    known = {claim.name: claim for claim in ledger}
    removed = [one.name for one in judged.findings if one.name not in known]
    assert [] == removed, f"{path} judges claims that the ledger no longer holds: judge its results again"
    found = [(one, known[one.name]) for one in judged.findings if one.digest == known[one.name].digest]
    assert len(found) > 10
    expected = {claim.name: claim.expected_on(levels) for one, claim in found if one.standing in DECIDED}
    assert {one.name: one.standing for one, _ in found if one.standing in DECIDED} == expected
    opened = [claim for one, claim in found if one.standing is Standing.UNDECIDED and "both sides" in one.reason]
    assert [] == [claim.name for claim in opened if claim.expected_on(levels)]


def test_mathematics_that_take_no_time_stand_as_expected(ledger):
    """Curves, arithmetic and citations; programs and networks are the next test's."""
    quick = [claim for claim in ledger if computed(claim) and not SLOW.search(texts(claim))]
    assert len(quick) > 20
    assert [] == wrong(quick)


@pytest.mark.system
def test_whatever_is_computed_stands_as_expected(ledger):
    """The quick ledger: programs that run, networks that are counted."""
    quick = [claim for claim in ledger if computed(claim)]
    assert len(quick) > 70
    assert [] == wrong(quick)


def computed(claim):
    return claim.kind not in {ClaimKind.EMPIRICAL, ClaimKind.ADVICE}


def texts(claim):
    parts = [part.text for part in claim.parts.values()]
    return " ".join([*parts, claim.measured.text if claim.measured else ""])


def wrong(claims):
    found = judge(claims, ClaimEvidence(quick=True), where("cpu").levels)
    return [(one.claim.name, str(one.standing), one.reason) for one in found if one.changed or one.expected is None]
