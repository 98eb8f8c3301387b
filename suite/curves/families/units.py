"""Units of parameters, as products of powers of Q and R: 'Q', 'R^-1', 'Q R^c', '1'."""

from __future__ import annotations

from collections.abc import Mapping

from suite.core.errors import UsageError


def factor(unit: str, sizes: Mapping[str, float], params: Mapping[str, float]) -> float:
    """The factor of a parameter's number if the number of each base unit grows by ``sizes``.

    An exponent is a number or the name of one of ``params``, with or without a minus sign.
    Raises `UsageError` for anything else.
    """
    grown = 1.0
    for part in unit.split():
        base, _, exponent = part.partition("^")
        if base != "1":
            grown *= _size(base, unit, sizes) ** _exponent(exponent or "1", unit, params)
    return grown


def _size(base: str, unit: str, sizes: Mapping[str, float]) -> float:
    if base not in sizes:
        raise UsageError(f"unit {unit!r}: {base!r} is no base unit; write a product of powers of {' and '.join(sizes)}")
    return sizes[base]


def _exponent(exponent: str, unit: str, params: Mapping[str, float]) -> float:
    name = exponent.removeprefix("-")
    try:
        return (-1 if name != exponent else 1) * (params[name] if name in params else float(name))
    except ValueError:
        raise UsageError(f"unit {unit!r}: the exponent {exponent!r} is neither a number nor a parameter") from None
