"""The fixture ``tradeoff`` from an empty repository to a red test, by pytest's own command and by `suite pytest`."""

import pytest

TEST = """
import time


def slow():
    time.sleep({slow})
    return 1.0


def fast():
    time.sleep({fast})
    return {answer}


def test_fast(tradeoff):
    result = tradeoff.compare(baseline=lambda: slow(), candidate=lambda: fast(), seconds=1)
    assert result.outputs.close(1e-6)
    tradeoff.check(result)
"""

pytestmark = pytest.mark.system


@pytest.fixture
def run(suite, tmp_path):
    """``run(*arguments, slow=, fast=)``: exit code and output of `suite pytest` in a folder with one test."""

    def start(*arguments, slow=0.02, fast=0.01, answer=1.0):
        (tmp_path / "test_fast.py").write_text(TEST.format(slow=slow, fast=fast, answer=answer), "utf-8")
        done = suite("pytest", "-p", "suite.bench.functions.fixture", "-q", "-rs", *arguments, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    return start


@pytest.mark.timed
def test_from_an_empty_repository_to_a_red_test(run):
    """Nothing is stored, it is recorded, it passes; then the candidate becomes slower, then it answers otherwise."""
    code, said = run()
    assert 1 == code
    assert "tradeoff: unverified: speedup: no expectation is stored; record it with: suite pytest" in said
    assert 0 == run("--tradeoff-record")[0]
    assert 0 == run()[0]
    code, said = run(fast=0.019)
    assert 1 == code
    assert "tradeoff: regressed: speedup: " in said
    code, said = run(answer=1.1)
    assert 1 == code
    assert "close(1e-06)" in said


def test_nothing_is_timed_beside_other_workers(run):
    """Of pytest-xdist, which share the cores."""
    code, said = run("-n", "2")
    assert 1 == code
    assert "nothing can be timed beside other workers of pytest-xdist; run these tests with -n 0" in said
