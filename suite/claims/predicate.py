"""The language in which a claim says what must hold: comparisons and arithmetic over named figures, nothing else.

A predicate is parsed by Python's own parser and may hold only what `OPERATORS` and the tables below name. It is never
evaluated by Python. Its names are numbers of the claim, cells, and functions: metrics of a cell, facts, and tests.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from suite.claims.quantities import Interval, Quantity, rises, within
from suite.claims.truth import Truth, every, some
from suite.core.errors import UsageError, unknown

Value = Interval | Truth | tuple[Quantity, ...] | str
OPERATORS: Mapping[type[ast.operator], Callable[[Interval, Interval], Interval]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Interval, Interval], Truth]] = {
    ast.Lt: lambda a, b: a.below(b),
    ast.LtE: lambda a, b: a.at_most(b),
    ast.Gt: lambda a, b: b.below(a),
    ast.GtE: lambda a, b: b.at_most(a),
    ast.Eq: lambda a, b: a.equal(b),
    ast.NotEq: lambda a, b: ~a.equal(b),
}
LONGEST = 2000  # characters
DEEPEST = 40  # levels of brackets and operators
MOST = 1e308


class Figures(Protocol):
    """What a predicate may ask of the evidence."""

    def metric(self, name: str, cell: str) -> Quantity:
        """A metric of a cell. Raises `Missing` where the evidence has none."""
        ...

    def fact(self, name: str, arguments: Sequence[float | str]) -> float | Quantity:
        """A figure that is computed. Raises `Missing` where it cannot be here."""
        ...


class Missing(Exception):  # noqa: N818  # no error: a part of the evidence is not there
    """What a predicate asks for and the evidence does not hold, and what would bring it."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a predicate may name: ``cells`` by alias (several for a sweep), ``metrics`` and ``facts``."""

    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Predicate:
    """A parsed predicate; ``text`` as it was written."""

    text: str
    tree: ast.expr
    names: Names

    def at(self, level: float, figures: Figures) -> Truth:
        """Whether it holds with intervals of that ``level``. Raises `Missing`."""
        found = _Evaluation(self.names, figures, level).value(self.tree)
        if not isinstance(found, Truth):
            raise UsageError(f"{self.text!r} is a figure, no statement: compare it with a limit")
        return found

    def figure(self, figures: Figures, level: float) -> Interval:
        """The figure that it computes. Raises `Missing`, and `UsageError` for a statement."""
        return _interval(_Evaluation(self.names, figures, level).value(self.tree), self.text)


def parse(text: str, names: Names) -> Predicate:
    """Raises `UsageError` for what is no predicate of these ``names``, with what is wrong and what may stand there."""
    if len(text) > LONGEST:
        raise UsageError(f"a predicate of {len(text)} characters, at most {LONGEST}: divide it into parts")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{text!r} cannot be read: {getattr(error, 'msg', error)}") from None
    _check(tree, names, 0)
    return Predicate(text, tree, names)


def _check(node: ast.expr, names: Names, depth: int) -> None:
    if depth > DEEPEST:
        raise UsageError(f"a predicate may be at most {DEEPEST} levels deep")
    for one in _allowed(node, names):
        _check(one, names, depth + 1)


def _allowed(node: ast.expr, names: Names) -> Sequence[ast.expr]:  # noqa: PLR0911  # a case for each kind of node
    """The parts of a node that may stand in a predicate. Raises `UsageError` for any other."""
    match node:
        case ast.Constant(value) if _is_figure(value):
            return ()
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            return left, right
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            return (operand,)
        case ast.BoolOp(values=values):
            return values
        case ast.Compare(left, ops, comparators) if all(type(op) in COMPARISONS for op in ops):
            return left, *comparators
        case ast.Name(name):
            return _known("name", name, names.cells)
        case ast.Call(ast.Name(name), arguments, []):
            return (*_known("function", name, {*FUNCTIONS, *names.metrics, *names.facts}), *arguments)
    raise UsageError(
        f"{ast.unparse(node)!r} may not stand in a predicate; allowed are numbers, + - * / **, comparisons, and, or, "
        "not, cells, metrics, facts and " + ", ".join(sorted(FUNCTIONS))
    )


def _is_figure(value: object) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST


def _known(kind: str, name: str, known: Collection[str]) -> tuple[()]:
    if name not in known:
        raise unknown(kind, name, known)
    return ()


@dataclass(frozen=True)
class _Evaluation:
    names: Names
    figures: Figures
    level: float

    def value(self, node: ast.expr) -> Value:  # noqa: PLR0911  # a case for each kind of node
        match node:
            case ast.Constant(str() as text):
                return text
            case ast.Constant(number):
                return Interval.point(float(number))  # type: ignore[arg-type]  # `parse` let only numbers pass
            case ast.Name(name):
                return name
            case ast.UnaryOp(ast.Not(), operand):
                return ~self._truth(operand)
            case ast.UnaryOp(_, operand):
                return -self._number(operand)
            case ast.BinOp(left, op, right):
                return OPERATORS[type(op)](self._number(left), self._number(right))
            case ast.BoolOp(op, values):
                found = [self._truth(one) for one in values]
                return every(found) if isinstance(op, ast.And) else some(found)
            case ast.Compare(left, ops, comparators):
                return self._compared([left, *comparators], ops)
            case ast.Call(ast.Name(name), arguments):
                return self._called(name, arguments)
        raise AssertionError(ast.dump(node))  # `parse` lets nothing else pass

    def _compared(self, sides: Sequence[ast.expr], ops: Sequence[ast.cmpop]) -> Truth:
        found = [self._number(one) for one in sides]
        return every(COMPARISONS[type(op)](found[k], found[k + 1]) for k, op in enumerate(ops))

    def _called(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        found = [self.value(one) for one in arguments]
        if name in FUNCTIONS:
            return FUNCTIONS[name](found, self.level)
        if name in self.names.metrics:
            return self._metric(name, found)
        answer = self.figures.fact(name, [_argument(one, name) for one in found])
        return answer.at(self.level) if isinstance(answer, Quantity) else Interval.point(answer)

    def _metric(self, name: str, arguments: Sequence[Value]) -> Value:
        if len(arguments) != 1 or arguments[0] not in self.names.cells:
            raise UsageError(f"{name}(...) takes one cell of the claim: {', '.join(self.names.cells) or 'it has none'}")
        cells = self.names.cells[str(arguments[0])]
        found = tuple(self.figures.metric(name, cell) for cell in cells)
        return found[0].at(self.level) if len(found) == 1 else found

    def _number(self, node: ast.expr) -> Interval:
        return _interval(self.value(node), ast.unparse(node))

    def _truth(self, node: ast.expr) -> Truth:
        found = self.value(node)
        if not isinstance(found, Truth):
            raise UsageError(f"{ast.unparse(node)!r} is no statement: compare it with a limit")
        return found


def _interval(found: Value, text: str) -> Interval:
    if isinstance(found, Interval):
        return found
    kind = "a statement" if isinstance(found, Truth) else "a sweep" if isinstance(found, tuple) else "no figure"
    raise UsageError(f"{text!r} is {kind}, where a number is needed")


def _argument(found: Value, name: str) -> float | str:
    if isinstance(found, str):
        return found
    if isinstance(found, Interval) and found.exact:
        return found.value
    raise UsageError(f"{name}(...) takes numbers and texts, no measured figures")


def _numbers(found: Sequence[Value], count: int, name: str) -> list[Interval]:
    if len(found) != count:
        raise UsageError(f"{name}(...) takes {count} figures, got {len(found)}")
    return [_interval(one, name) for one in found]


def _abs(found: Sequence[Value], _: float) -> Interval:
    (one,) = _numbers(found, 1, "abs")
    least = 0.0 if one.low <= 0 <= one.high else min(abs(one.low), abs(one.high))
    return Interval(abs(one.value), least, max(abs(one.low), abs(one.high)))


def _log2(found: Sequence[Value], _: float) -> Interval:
    (one,) = _numbers(found, 1, "log2")
    if one.low <= 0:
        return Interval(math.nan, -math.inf, math.inf)
    return Interval(math.log2(one.value), math.log2(one.low), math.log2(one.high))


def _round(found: Sequence[Value], _: float) -> Interval:
    one, digits = _numbers(found, 2, "round")
    if not digits.exact or not math.isfinite(digits.value):
        raise UsageError("round(...) takes a whole number of digits")
    return Interval(*(round(end, int(digits.value)) if math.isfinite(end) else end for end in vars(one).values()))


def _within(found: Sequence[Value], _: float) -> Truth:
    return within(*_numbers(found, 3, "within"))


def _equivalent(found: Sequence[Value], _: float) -> Truth:
    one, margin = _numbers(found, 2, "equivalent")
    return within(one, -margin, margin)


def _rises(found: Sequence[Value], level: float) -> Truth:
    if len(found) != 1 or not isinstance(found[0], tuple):
        raise UsageError("rises(...) takes a metric of a sweep: an alias that stands for several cells")
    return rises(found[0], level)


def _falls(found: Sequence[Value], level: float) -> Truth:
    return _rises([found[0][::-1]] if found and isinstance(found[0], tuple) else found, level)


def _smallest(found: Sequence[Value], _: float) -> Interval:
    return _end(found, "smallest", min)


def _largest(found: Sequence[Value], _: float) -> Interval:
    return _end(found, "largest", max)


def _end(found: Sequence[Value], name: str, of: Callable[[list[float]], float]) -> Interval:
    sides = [_interval(one, name) for one in found]
    if not sides:
        raise UsageError(f"{name}(...) takes at least one figure")
    return Interval(*(of([getattr(one, end) for one in sides]) for end in ("value", "low", "high")))


FUNCTIONS: Mapping[str, Callable[[Sequence[Value], float], Value]] = {
    "abs": _abs,
    "equivalent": _equivalent,
    "falls": _falls,
    "largest": _largest,
    "log2": _log2,
    "rises": _rises,
    "round": _round,
    "smallest": _smallest,
    "within": _within,
}
"""What a predicate may call beside metrics and facts."""
