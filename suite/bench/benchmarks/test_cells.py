"""Each cell's four groups of metrics, measured and checked against the stored expectations.

Training happens once per cell and seed, in whichever of these tests comes first.
"""

from __future__ import annotations

import pytest

from suite.bench.workers.replay import CLOCK, replay


@pytest.mark.suite_group("quality")
def test_quality(suite_cell, suite_run):
    """Accuracy, precision and recall over seeds, compared with the control; what training costs."""
    suite_run(suite_cell, "quality")


@pytest.mark.suite_group("size")
def test_size(suite_cell, suite_run):
    """Parameters, bytes of the artefact, multiply-accumulates."""
    suite_run(suite_cell, "size")


@pytest.mark.suite_group("speed")
@pytest.mark.benchmark(timer=CLOCK)
def test_speed(suite_cell, suite_run, benchmark):
    """Inference and training steps, interleaved with the baseline; pytest-benchmark receives the technique's rounds."""
    suite_run(suite_cell, "speed", then=lambda samples: replay(benchmark, suite_cell.cell, samples))


@pytest.mark.suite_group("memory")
def test_memory(suite_cell, suite_run):
    """Peak memory of a served batch and of a training step."""
    suite_run(suite_cell, "memory")
