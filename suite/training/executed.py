"""What an engine really multiplies in: multiply-accumulates of one item by the precision and the device of the kernel.

The precision of a name is a hint: engines fall back in silence, or choose another one by themselves. So the products
are read off the graph that the engine executes, and each counts by its multiply-accumulates: a large product in float32
beside ten small ones in 8 bits is a network in float32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType

from suite.core.errors import TechniqueError
from suite.core.work_shares import ON, main_precision, precision_of, shares_text

UNKNOWN = "unknown"
Shape = Sequence[int]


@dataclass(frozen=True, kw_only=True)
class ExecutedProduct:
    """One product of an executed graph: what it computes in, where, and its multiply-accumulates of one item."""

    precision: str
    device: str
    macs: int | None


@dataclass(frozen=True, kw_only=True)
class Executed:
    """What a predictor's engine executes.

    ``macs`` are the multiply-accumulates of one item by precision and device (``int8 on CPU``); empty where a product's
    are not known. ``wanted`` is the precision of the technique's name, and ``precision`` what the products run in.
    ``remark`` is what else the engine says of its operators.
    """

    engine: str
    version: str
    wanted: str
    precision: str
    macs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    remark: str = ""

    @property
    def share(self) -> float | None:
        """The share of multiply-accumulates in the precision of the name; ``None`` where they are not known."""
        total = sum(self.macs.values())
        own = sum(count for key, count in self.macs.items() if precision_of(key) == self.wanted)
        return own / total if total else None

    def __str__(self) -> str:
        text = f"{self.engine} {self.version}: {shares_text(self.macs) or self.precision}"
        return f"{text}; {self.remark}" if self.remark else text


def executed(engine: str, version: str, wanted: str | None, products: Sequence[ExecutedProduct]) -> Executed:
    """What ``products`` are together; ``wanted`` is ``None`` for a file that promises no precision.

    Raises `TechniqueError` where most of their multiply-accumulates run in another precision than the ``wanted`` one
    of the name: an engine falls back in silence. Where these are not known, one product in it is enough.
    """
    if not products and wanted in (None, "fp32"):  # nothing is multiplied
        return Executed(engine=engine, version=version, wanted="fp32", precision="fp32")
    kinds = sorted({one.precision for one in products})
    macs = _by_place(products)
    wanted = wanted or main_precision(macs) or "+".join(kinds) or "none"
    main = main_precision(macs) or (wanted if wanted in (*kinds, "+".join(kinds)) else None)
    if main != wanted:
        ran = shares_text(macs) or "+".join(kinds) or "none"
        raise TechniqueError(
            f"mislabelled: {engine} was to compute in {wanted}, and its products run in {ran}; the engine's version, "
            "or this machine, has no such kernels for them"
        )
    return Executed(engine=engine, version=version, wanted=wanted, precision="+".join(kinds), macs=macs)


def _by_place(products: Iterable[ExecutedProduct]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in products:
        if one.macs is None:
            return {}
        found[f"{one.precision}{ON}{one.device}"] += one.macs
    return dict(sorted(found.items()))


def convolution(output: Shape, weights: Shape) -> int:
    """Of a convolution with ``weights`` [out, in / groups, ...]."""
    return prod(output) * prod(weights[1:])


def transposed_convolution(given: Shape, weights: Shape) -> int:
    """Of a transposed convolution with ``weights`` [in, out / groups, ...]."""
    return prod(given) * prod(weights[1:])


def product(output: Shape, contracted: int) -> int:
    """Of a product of matrices that sums over ``contracted`` entries."""
    return prod(output) * contracted


def attention(query: Shape, key: Shape, value: Shape) -> int:
    """Of attention with ``query`` [..., L, E], ``key`` [..., S, E] and ``value`` [..., S, V]."""
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def recurrent(given: Shape, inputs: Shape, states: Shape) -> int:
    """Of all steps of a recurrent layer: two sizes of ``given`` are items and steps; weights of inputs and states."""
    return prod(given[:2]) * (prod(inputs) + prod(states))
