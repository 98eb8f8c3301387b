"""Predicates: what may stand in one, what it says at a level, and that nothing else is ever evaluated."""
# the expected value stands on the left

import math
import re
from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.claims.predicate import DEEPEST, FUNCTIONS, LONGEST, Missing, Names, parse
from suite.claims.quantities import Interval, Quantity
from suite.claims.truth import Truth
from suite.core.errors import UsageError

NAMES = Names(
    cells={"ours": ("w/ours",), "plain": ("w/plain",), "widths": ("w/a", "w/b", "w/c")},
    metrics=frozenset({"speedup", "parameters", "accuracy", "change", "loss", "unknown"}),
    facts=frozenset({"slope", "has", "timed"}),
)


class Made:
    """Figures of three cells and one fact."""

    table: ClassVar = {
        ("speedup", "w/ours"): Quantity(value=2.0, low=1.9, high=2.1),
        ("change", "w/ours"): Quantity(value=-1.0, low=-3.0, high=2.0),
        ("loss", "w/ours"): Quantity(value=-2.0, low=-3.0, high=-1.0),
        ("unknown", "w/ours"): Quantity(value=1.26),
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
        return {
            "slope": lambda r: 0.5 / r,
            "has": lambda text: float(text == "amx"),
            "timed": lambda: Quantity(value=3.0, low=2.0, high=4.0),
        }[name](*arguments)


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
        ("smallest(parameters(ours), 250) == 100", Truth.TRUE),
        ("2 < speedup(ours) < 3 < 4", Truth.OPEN),
        ("1 < 3 < 2", Truth.FALSE),
        ("1 <= 1 <= 1", Truth.TRUE),
        ("2 >= 2", Truth.TRUE),
        ("2 != 3", Truth.TRUE),
        ("2 > 2", Truth.FALSE),
        ("1 > 2 or 3 > 4 or 6 > 5", Truth.TRUE),
        ("6 > 5 and 4 > 3 and 1 > 2", Truth.FALSE),
        (" \t1 < 2 ", Truth.TRUE),
        ("timed() > 1.9", Truth.TRUE),
        ("timed() > 2.1", Truth.OPEN),
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
        "1e308 > 1",
        "1j > 1",
        "b'1' > 1",
        "+1 > 0",
        "1 // 1 > 0",
        "1 is 1",
        "ours.path > 1",
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
        ("speedup(ours)", "'speedup(ours)' is a figure, no statement: compare it with a limit"),
        ("ours", "'ours' is a figure, no statement"),
        ("1 < 2 and 7", "'7' is no statement: compare it with a limit"),
        ("ours > 1", "'ours' is no figure, where a number is needed"),
        ("speedup(ours, plain) > 1", "speedup(...) takes one cell of the claim"),
        ("speedup() > 1", "speedup(...) takes one cell of the claim"),
        ("slope(speedup(ours)) > 1", "slope(...) takes numbers and texts, no measured figures"),
        ("slope(1 > 2) > 1", "slope(...) takes numbers and texts, no measured figures"),
        ("within(1, 2)", "within(...) takes 3 figures, got 2"),
        ("equivalent(1)", "equivalent(...) takes 2 figures, got 1"),
        ("abs(1, 2) > 0", "abs(...) takes 1 figures, got 2"),
        ("log2() > 0", "log2(...) takes 1 figures, got 0"),
        ("round(1) > 0", "round(...) takes 2 figures, got 1"),
        ("abs(ours) > 0", "'abs' is no figure"),
        ("log2(ours) > 0", "'log2' is no figure"),
        ("round(ours, 1) > 0", "'round' is no figure"),
        ("within(1, 2, accuracy(widths))", "'within' is a sweep"),
        ("equivalent(1, 2 > 1)", "'equivalent' is a statement"),
        ("smallest(1, ours) > 0", "'smallest' is no figure"),
        ("largest(1, ours) > 0", "'largest' is no figure"),
        ("largest() > 0", "largest(...) takes at least one figure"),
        ("rises(accuracy(widths), 1)", "rises(...) takes a metric of a sweep: an alias that stands for several cells"),
        ("rises()", "takes a metric of a sweep"),
        ("falls()", "takes a metric of a sweep"),
        ("falls(1)", "takes a metric of a sweep"),
        ("rises(1)", "takes a metric of a sweep"),
        ("smallest()", "takes at least one figure"),
    ],
)
def test_a_mistake_is_told_in_words(text, words):
    """When it is read or when it is evaluated."""
    with pytest.raises(UsageError, match=re.escape(words)):
        at(text)


def test_what_is_missing_is_said():
    """Other parts of the evidence do not matter."""
    with pytest.raises(Missing, match="speedup of w/plain was not measured"):
        at("speedup(plain) > 1")


def test_a_figure_can_be_asked_for():
    """At the level of the interval that is wanted."""
    found = parse("speedup(ours) * 2", NAMES).figure(Made(), 0.95)
    assert (4.0, 3.8, 4.2) == pytest.approx((found.value, found.low, found.high))
    with pytest.raises(UsageError, match=r"^'1 > 2' is a statement, where a number is needed"):
        parse("1 > 2", NAMES).figure(Made(), 0.95)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(change(ours))", (1, 0, 3)),
        ("abs(loss(ours))", (2, 1, 3)),
        ("abs(loss(ours) + 1)", (1, 0, 2)),  # its upper end is zero
        ("abs(speedup(ours) - 1.9)", (0.1, 0, 0.2)),  # its lower end is zero
        ("abs(speedup(ours))", (2, 1.9, 2.1)),
        ("abs(timed() / 4)", (0.75, 0.5, 1)),
        ("log2(timed() * timed())", (math.log2(9), 2, 4)),
        ("log2(timed() - 1.5)", (math.log2(1.5), -1, math.log2(2.5))),
        ("round(speedup(ours) / 3, 1)", (0.7, 0.6, 0.7)),
        ("round(unknown(ours), 1)", (1.3, -math.inf, math.inf)),
        ("smallest(timed(), speedup(ours), 5)", (2, 1.9, 2.1)),
        ("smallest(timed(), change(ours))", (-1, -3, 2)),
        ("largest(timed(), change(ours), 2.5)", (3, 2.5, 4)),
        ("-timed() ** 2", (-9, -16, -4)),
        ("timed() / 2 - 1", (0.5, 0, 1)),
    ],
)
def test_functions_of_figures_by_hand(text, expected):
    """The value and both ends, at the level at which they were measured."""
    found = parse(text, NAMES).figure(Made(), 0.95)
    assert expected == pytest.approx((found.value, found.low, found.high))


@pytest.mark.parametrize("text", ["log2(change(ours))", "log2(timed() - 2)", "log2(0)"])
def test_what_may_be_zero_has_no_logarithm(text):
    """It may be anything."""
    found = parse(text, NAMES).figure(Made(), 0.95)
    assert math.isnan(found.value)
    assert (-math.inf, math.inf) == (found.low, found.high)


def test_a_figure_is_as_wide_as_the_level_that_is_asked_for():
    """Of metrics and of facts."""
    for text in ("speedup(ours)", "timed()"):
        predicate = parse(text, NAMES)
        assert predicate.figure(Made(), 0.5).high < predicate.figure(Made(), 0.95).high
    assert Interval.point(3.0) == parse("timed()", NAMES).figure(Made(), 0.0)


def test_a_sweep_rises_at_the_level_that_is_asked_for():
    """Three seeds at three points: Page's p-value is 1 / 216, and falling it is as likely."""
    falling = Names(cells={"widths": ("w/c", "w/b", "w/a")}, metrics=NAMES.metrics)
    for names, rising in ((NAMES, "rises"), (falling, "falls")):
        predicate = parse(f"{rising}(accuracy(widths))", names)
        assert [Truth.TRUE, Truth.OPEN] == [predicate.at(level, Made()) for level in (0.95, 0.995)]


def test_a_claim_without_cells_says_so():
    """Nothing can be measured for it."""
    with pytest.raises(UsageError, match=r"speedup\(...\) takes one cell of the claim: it has none"):
        parse("speedup(1) > 1", Names(metrics=NAMES.metrics)).at(0.95, Made())


def nested(levels):
    return "-" * (levels - 1) + "1 > 0"


def test_a_predicate_has_so_many_characters_and_levels_and_no_more():
    """Both limits are said."""
    longest = "1 > 0".ljust(LONGEST)
    assert Truth.TRUE is at(longest)
    with pytest.raises(UsageError, match="a predicate of 2001 characters, at most 2000: divide it into parts"):
        parse(longest + " ", NAMES)
    assert Truth.FALSE is at(nested(DEEPEST))
    with pytest.raises(UsageError, match="a predicate may be at most 40 levels deep"):
        parse(nested(DEEPEST + 1), NAMES)


def test_what_may_not_stand_in_a_predicate_is_quoted_beside_what_may():
    """And what cannot be read at all with the parser's reason."""
    with pytest.raises(
        UsageError, match=r"^'\[1\]' may not stand in a predicate; allowed are numbers, \+ - \* / \*\*, "
    ):
        parse("[1] > 0", NAMES)
    with pytest.raises(
        UsageError, match="not, cells, metrics, facts and abs, equivalent, falls, largest, log2, rises,"
    ):
        parse("[1] > 0", NAMES)
    with pytest.raises(UsageError, match=r"^'1 >' cannot be read: invalid syntax$"):
        parse("1 >", NAMES)
    with pytest.raises(UsageError, match=r"cannot be read: .*null bytes"):
        parse("a\0b", NAMES)
    with pytest.raises(UsageError, match=r"cannot be read: .*surrogates not allowed"):  # this error has no `msg`
        parse("has('\ud800') > 0", NAMES)
    with pytest.raises(UsageError, match=r"^rises\(\.\.\.\) takes a metric of a sweep: .* several cells$"):
        at("rises(1)")


def test_every_name_that_may_stand_is_told_of_a_mistake():
    """Cells where a cell is named; metrics, facts and functions where one is called."""
    with pytest.raises(UsageError, match="unknown name 'xyz'; known: ours, plain, widths"):
        parse("speedup(xyz) > 1", NAMES)
    for name in ("parameter", "slop", "smalles"):
        with pytest.raises(UsageError, match=f"unknown function '{name}'; did you mean {name}"):
            parse(f"{name}(ours) > 1", NAMES)


def test_functions_are_no_names_of_facts_or_metrics():
    """A fact of the same name would be hidden."""
    from suite.claims.facts import FACTS
    from suite.core.metrics import METRICS

    assert not FUNCTIONS.keys() & FACTS.keys()
    assert not METRICS.keys() & FACTS.keys()
