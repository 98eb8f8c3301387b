"""What `suite list` prints: one line for each thing, in columns that fit what is there."""
# the expected value stands on the left

import tiny

from suite.cli.listing import lines
from suite.core.machine.needs import NEEDS
from suite.core.metrics import METRICS
from suite.registry import Family


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
    spelled = "  a_technique_with_parameters(first=0.25,second=12,third='long text') any "
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


def test_techniques_stand_under_their_family_and_the_baseline_before_all():
    """Families of the suite's own come first, a user's behind them."""
    made = tiny.registry()
    for name, family in (("cut", "pruning"), ("mine", "my own family"), ("half", "precision")):
        made.technique(slots=("finish",), family=family)(_named(name))
    listed = list(lines(made, "techniques", []))
    assert "  baseline" == listed[1].split("  ")[0] + "  " + listed[1].split()[0]
    at = [listed.index(f" {family}") for family in ("precision", "pruning", "other", "my own family")]
    assert sorted(at) == at
    assert listed[at[1] + 1].startswith("  cut ")


def test_a_technique_says_where_it_exists_and_what_is_missing_here(monkeypatch):
    """A reader sees before a run which cells will be unavailable, and why."""
    monkeypatch.setitem(NEEDS, "int8_cpu", lambda device: f"no int8 on {device}")
    made = tiny.registry()
    made.technique(slots=("finish",), needs=("int8_cpu", "classes"))(_named("whole"))
    listed = list(lines(made, "techniques", [], device="cuda:0"))
    at = next(index for index, line in enumerate(listed) if line.startswith("  whole"))
    assert ["whole", "cpu"] == listed[at].split()[:2]
    assert "      unavailable here: no int8 on cuda:0" == listed[at + 1]


def test_without_a_device_nothing_is_asked_of_it():
    """Listing for a machine that is elsewhere."""
    made = tiny.registry()
    made.technique(slots=("finish",), needs=("int8_cpu",))(_named("whole"))
    assert not any("unavailable" in line for line in lines(made, "techniques", []))


def _named(name):
    def function(plain):
        """What it does."""
        return plain

    function.__name__ = name
    return function


def test_a_family_of_workloads_is_one_line():
    """Declared when one is asked for."""
    made = tiny.registry()
    made.family(Family(prefix="zoo_", about="All networks.", names=lambda: ("a", "b"), declare=lambda _: None))
    assert any(line.split() == ["zoo_<name>", "All", "networks."] for line in lines(made, "workloads", []))
