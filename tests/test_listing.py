"""What `suite list` prints: one line for each thing, in columns that fit what is there."""
# the expected value stands on the left

import tiny

from suite.listing import lines
from suite.metrics import METRICS


def described(made):
    """Put a technique with a long spelling into a registry."""

    @made.technique(slots=("finish",), runs=False)
    def a_technique_with_parameters(plain, *, first: float = 0.25, second: int = 12, third: str = "long text"):  # noqa: ARG001
        """What it does."""
        return plain

    return made


def test_the_lines_of_one_kind_are_aligned_however_long_a_name_is():
    """A user's own technique may have many parameters."""
    listed = list(lines(described(tiny.registry()), "techniques", []))[1:]
    (long,) = [line for line in listed if "a_technique_with" in line]
    start = long.index("What it does.")
    spelled = "  a_technique_with_parameters(first=0.25,second=12,third='long text') "
    assert spelled == long[:start]
    assert all(" " == line[start - 1] and " " != line[start] for line in listed if len(line) > start)


def test_both_workloads_and_techniques_are_listed_by_default():
    """With a heading for each."""
    listed = list(lines(tiny.registry(), None, []))
    assert {"workloads", "techniques"} <= set(listed)
    assert any(line.startswith("  halves") for line in listed)


def test_metrics_come_scores_first_and_then_in_the_order_of_the_catalogue():
    """The order of the reports; every metric has its unit, direction and tier."""
    listed = [line.split()[:4] for line in lines(tiny.registry(), "metrics", [])]
    assert len(METRICS) == len(listed)
    assert ["accuracy", "1", "higher", "portable"] == listed[0]
    names = [name for name, *_ in listed]
    assert names.index("accuracy_vs_control") < names.index("mean_squared_error") < names.index("parameters")


def test_an_empty_registry_lists_nothing():
    """No line, no error."""
    assert [] == list(lines(tiny.registry(), "expectations", []))
