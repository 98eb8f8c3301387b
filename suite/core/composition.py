"""Compositions of techniques as text: ``structured_pruning(ratio=0.5)+amp_bf16``.

Only the text is known here; which techniques exist and which parameters they take is the registry's business.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from suite.core.errors import CompositionError

BASELINE = "baseline"
EXAMPLE = "structured_pruning(ratio=0.5)+amp_bf16"


@dataclass(frozen=True, kw_only=True)
class TechniqueCall:
    """One technique of a composition with the parameters that were spelled out."""

    name: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        return f"{self.name}({','.join(f'{key}={value!r}' for key, value in self.parameters)})"


@lru_cache(maxsize=65536)  # tables ask for the same names many times
def parse(text: str) -> tuple[TechniqueCall, ...]:
    """The members of a composition, left to right.

    Raises `CompositionError` for anything but names with literal keyword parameters joined by ``+``.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise CompositionError(f"cannot read the composition {text!r}: write it like {EXAMPLE}") from error
    return tuple(_members(tree, text))


def join(members: Iterable[TechniqueCall]) -> str:
    """The text of a composition; nothing composed is the baseline."""
    return "+".join(str(member) for member in members) or BASELINE


def _members(node: ast.expr, text: str) -> Iterable[TechniqueCall]:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _members(left, text)
            yield from _members(right, text)
        case ast.Name(id=name):
            yield TechniqueCall(name=name)
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            parameters = [_parameter(keyword, text) for keyword in keywords]
            repeated = [key for key, count in Counter(key for key, _ in parameters).items() if count > 1]
            if repeated:
                raise CompositionError(f"{repeated[0]} is given more than once in {text!r}; give it once")
            yield TechniqueCall(name=name, parameters=tuple(parameters))
        case ast.Call(func=ast.Name(id=name)):
            raise CompositionError(
                f"parameters need their names in {text!r}: write {name}(name=value), as in {EXAMPLE}"
            )
        case _:
            raise CompositionError(f"cannot read {ast.unparse(node)!r} in {text!r}: write it like {EXAMPLE}")


def _parameter(keyword: ast.keyword, text: str) -> tuple[str, Any]:
    try:
        value = ast.literal_eval(keyword.value)
    except (ValueError, TypeError):
        value = keyword  # not a literal
    infinite = isinstance(value, float) and not math.isfinite(value)
    if keyword.arg is None or infinite or not isinstance(value, bool | int | float | str):
        raise CompositionError(
            f"{ast.unparse(keyword)!r} in {text!r} is no finite number, text or truth value: write it like {EXAMPLE}"
        )
    return keyword.arg, value
