"""Predicates: what may stand in one, what it says at a level, and that nothing else is ever evaluated."""
# the expected value stands on the left

from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.claims.predicate import FUNCTIONS, Missing, Names, parse
from suite.claims.quantities import Quantity
from suite.claims.truth import Truth
from suite.core.errors import UsageError

NAMES = Names(
    cells={"ours": ("w/ours",), "plain": ("w/plain",), "widths": ("w/a", "w/b", "w/c")},
    metrics=frozenset({"speedup", "parameters", "accuracy"}),
    facts=frozenset({"slope", "has"}),
)


class Made:
    """Figures of three cells and one fact."""

    table: ClassVar = {
        ("speedup", "w/ours"): Quantity(value=2.0, low=1.9, high=2.1),
        ("parameters", "w/ours"): Quantity(value=100, exact=True),
        ("parameters", "w/plain"): Quantity(value=400, exact=True),
        **{
            ("accuracy", f"w/{k}"): Quantity(value=v, by_seed=(v, v + 0.01, v - 0.01))
            for k, v in zip("abc", (1, 2, 3), strict=True)
        },
    }

    def metric(self, name, cell):
        if (name, cell) not in self.table:
            raise Missing(f"{name} of {cell} was not measured")
        return self.table[name, cell]

    def fact(self, name, arguments):
        return {"slope": lambda r: 0.5 / r, "has": lambda text: float(text == "amx")}[name](*arguments)


def at(text, level=0.95):
    return parse(text, NAMES).at(level, Made())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("speedup(ours) >= 1.8", Truth.TRUE),
        ("speedup(ours) >= 2", Truth.OPEN),
        ("speedup(ours) > 3", Truth.FALSE),
        ("1.5 < speedup(ours) < 2.5", Truth.TRUE),
        ("not speedup(ours) > 3", Truth.TRUE),
        ("speedup(ours) >= 2 or parameters(ours) < parameters(plain)", Truth.TRUE),
        ("speedup(ours) >= 2 and parameters(ours) < parameters(plain)", Truth.OPEN),
        ("parameters(plain) / parameters(ours) == 4", Truth.TRUE),
        ("parameters(plain) - 4 * parameters(ours) != 0", Truth.FALSE),
        ("equivalent(speedup(ours) - 2, 0.3)", Truth.TRUE),
        ("within(speedup(ours), 1, 1.5)", Truth.FALSE),
        ("log2(parameters(plain)) > 8.6", Truth.TRUE),
        ("abs(-parameters(ours)) ** 0.5 == 10", Truth.TRUE),
        ("round(slope(3), 3) == 0.167", Truth.TRUE),
        ('has("amx") == 1', Truth.TRUE),
        ("largest(parameters(ours), 250) == 250", Truth.TRUE),
        ("smallest(parameters(ours), 250) == 250", Truth.FALSE),
        ("rises(accuracy(widths))", Truth.TRUE),
        ("falls(accuracy(widths))", Truth.FALSE),
    ],
)
def test_a_predicate_says_what_it_reads_like(text, expected):
    """With intervals of 95 %."""
    assert expected is at(text)


def test_a_lower_level_decides_more():
    """Half of all times 2.0 +- 0.1 is above 1.98."""
    assert (Truth.OPEN, Truth.TRUE) == (at("speedup(ours) > 1.98"), at("speedup(ours) > 1.98", level=0.3))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "speedup.__globals__",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "open('/etc/passwd')",
        "speedup(ours, key=1) > 1",
        "speedup(*ours) > 1",
        "1 if 2 else 3",
        "f'{1}' > 0",
        "(a := 3) > 1",
        "1 in (1, 2)",
        "1 @ 2 > 0",
        "True",
        "None == 1",
        "~1 > 0",
        "{1: 2}[1] > 0",
        "1e309 > 1",
        "speedup(ours) > ",
        "",
        "a\0b",
        "(" * 300 + "1" + ")" * 300 + " > 0",
        "1 > " + "+".join(["1"] * 1500),
    ],
)
def test_anything_but_arithmetic_and_comparisons_is_refused(text):
    """When it is read, before anything is evaluated."""
    with pytest.raises(UsageError):
        parse(text, NAMES)


@given(st.text(max_size=60))
def test_any_text_is_a_predicate_or_a_usage_error(text):
    """Never another exception."""
    with suppress(UsageError):
        parse(text, NAMES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("speedup(our) > 1", "unknown name 'our'; did you mean ours"),
        ("sped(ours) > 1", "unknown function 'sped'"),
        ("speedup(ours)", "is a figure, no statement"),
        ("speedup(1) > 1", "takes one cell of the claim: ours, plain, widths"),
        ("accuracy(widths) > 1", "is a sweep, where a number is needed"),
        ("(speedup(ours) > 1) + 1 > 0", "is a statement, where a number is needed"),
        ("not parameters(ours)", "is no statement"),
        ("slope(speedup(ours)) > 1", "takes numbers and texts, no measured figures"),
        ("within(1, 2)", "takes 3 figures, got 2"),
        ("rises(1)", "takes a metric of a sweep"),
        ("smallest()", "takes at least one figure"),
    ],
)
def test_a_mistake_is_told_in_words(text, words):
    """When it is read or when it is evaluated."""
    with pytest.raises(UsageError, match=words.replace("(", r"\(").replace(")", r"\)")):
        at(text)


def test_what_is_missing_is_said():
    """Other parts of the evidence do not matter."""
    with pytest.raises(Missing, match="speedup of w/plain was not measured"):
        at("speedup(plain) > 1")


def test_a_figure_can_be_asked_for():
    """At the level of the interval that is wanted."""
    found = parse("speedup(ours) * 2", NAMES).figure(Made(), 0.95)
    assert (4.0, 3.8, 4.2) == pytest.approx((found.value, found.low, found.high))
    with pytest.raises(UsageError, match="is a statement"):
        parse("1 > 2", NAMES).figure(Made(), 0.95)


def test_functions_are_no_names_of_facts_or_metrics():
    """A fact of the same name would be hidden."""
    from suite.claims.facts import FACTS
    from suite.core.metrics import METRICS

    assert not FUNCTIONS.keys() & FACTS.keys()
    assert not METRICS.keys() & FACTS.keys()
