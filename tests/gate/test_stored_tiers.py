"""The expectations that the suite ships: what follows trained weights is not stored as exact."""
# the expected value stands on the left

import tomllib
from pathlib import Path

import pytest

from suite.core.metrics import METRICS
from suite.registry import REGISTRY

ROOT = Path(__file__).parents[2] / "expectations"
FILES = sorted(ROOT.glob("*/*.toml"))


def entries(file):
    """The metric, tier, bounds and composition of every size in a file."""
    for technique, metrics in tomllib.loads(file.read_text("utf-8")).items():
        for metric, entry in metrics.items() if isinstance(metrics, dict) else ():
            if isinstance(entry, dict) and metric in METRICS and METRICS[metric].group == "size":
                yield technique, metric, entry


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_count_that_follows_trained_weights_is_not_exact(file):
    """Rounding of another machine decides which weights are zero, and which rank keeps the energy."""
    wrong = [
        f"{technique} {metric}"
        for technique, metric, entry in entries(file)
        if entry["tier"] == "exact"
        and (METRICS[metric].tier != "exact" or metric in REGISTRY.resolve(technique).sizes_follow_weights)
    ]
    assert [] == wrong


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_is_not_exact_has_room_for_another_machine(file):
    """Bounds that are the value itself would be exact under another name."""
    narrow = [
        f"{technique} {metric}"
        for technique, metric, entry in entries(file)
        if entry["tier"] != "exact" and entry.get("low") == entry["high"]
    ]
    assert [] == narrow
