"""Each computed claim that is refuted has a counter-example, and each counter-example shows it: one process each."""
# the expected value stands on the left

import subprocess
import sys
from pathlib import Path

import pytest

from suite.claims.claim import ClaimKind, Standing
from suite.claims.ledger import read_ledger
from suite.registry import REGISTRY
from suite.registry.settings import shipped_expectations

SECONDS = 120  # a busy machine; each takes a few seconds on a free core


def ledger():
    REGISTRY.workloads  # noqa: B018  # their scores are metrics
    return read_ledger(sorted((Path(shipped_expectations()) / "claims").glob("*.toml")))


CLAIMS = ledger()
SHOWN = [claim for claim in CLAIMS if claim.counterexample]


def test_a_refuted_claim_that_is_computed_has_a_counter_example():
    """Measured ones have their measurements."""
    refuted = [claim for claim in CLAIMS if Standing.REFUTED in claim.expected.values()]
    assert len(refuted) > 15
    assert [] == [claim.name for claim in refuted if claim.kind is not ClaimKind.EMPIRICAL and not claim.counterexample]


def test_a_counter_example_shows_something():
    """It asserts or ends with a message, in a few lines that can be compiled."""
    for claim in SHOWN:
        compile(claim.counterexample, claim.name, "exec")
        assert len(claim.counterexample.strip().splitlines()) <= 12
        assert "assert" in claim.counterexample or "SystemExit" in claim.counterexample, claim.name


@pytest.mark.system
@pytest.mark.parametrize("claim", SHOWN, ids=[claim.name for claim in SHOWN])
def test_a_counter_example_runs(claim):
    """Its assertions hold."""
    if claim.name == "K-03" and _has_cuda():
        pytest.skip("it is about machines without CUDA")
    done = subprocess.run(
        [sys.executable, "-P", "-c", claim.counterexample], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert 0 == done.returncode, done.stderr[-2000:]


def _has_cuda():
    import torch

    return torch.cuda.is_available()
