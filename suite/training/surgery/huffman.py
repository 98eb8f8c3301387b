"""Huffman's code of bytes: canonical, so that the lengths of the codes are all that has to be told.

Huffman 1952, https://doi.org/10.1109/JRPROC.1952.273898. Shapes: N symbols, B bytes of code.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

SYMBOLS = 256
PIECE = 1 << 18  # symbols, or bytes of code, at a time: memory stays within some hundred megabytes
LONGEST = 16  # bits of a code, so that a table of 65,536 entries decodes it; 256 symbols fit


class Coded(NamedTuple):
    """``bits`` [B] and the ``lengths`` [256 or fewer] of the codes of 0, 1, 2, ...; 0 for one that never occurs."""

    bits: Bytes
    lengths: Bytes


def encode(symbols: Bytes) -> Coded:
    """The code of ``symbols`` [N]."""
    lengths = _lengths(np.bincount(symbols, minlength=1))
    codes = _codes(lengths)
    pieces = [_bits(symbols[begin : begin + PIECE], codes, lengths) for begin in range(0, len(symbols), PIECE)]
    return Coded(np.packbits(np.concatenate([np.empty(0, np.uint8), *pieces])), lengths)


def _bits(symbols: Bytes, codes: NDArray[np.int64], lengths: Bytes) -> Bytes:
    """One byte for each bit of the symbols' codes."""
    long = lengths[symbols].astype(np.int64)
    ends = long.cumsum()
    place = np.arange(ends[-1]) - np.repeat(ends - long, long)
    shifts = np.repeat(long, long) - 1 - place
    found: Bytes = (np.repeat(codes[symbols], long) >> shifts & 1).astype(np.uint8)
    return found


def decode(coded: Coded, symbols: int) -> Bytes:
    """The ``symbols`` [N] that `encode` was given; raises `ValueError` if the bits end before."""
    symbol, length = _table(coded.lengths)
    found, place = [np.empty(0, np.uint8)], 0  # of the next code's first bit
    while symbols > sum(map(len, found)):
        part = coded.bits[place // 8 : place // 8 + PIECE]
        seen = _windows(part)[place % 8 :]
        whole = len(seen) if place // 8 + PIECE >= len(coded.bits) else len(seen) - LONGEST
        following = (np.arange(len(seen)) + length[seen]).tolist()
        at, places = 0, list[int]()
        while at < whole and len(places) < symbols - sum(map(len, found)):
            places.append(at)
            at = following[at]
        if not places or at > len(seen):
            raise ValueError(f"the code ends before its {symbols} symbols")
        found.append(symbol[seen[places]])
        place += at
    return np.concatenate(found)


def _lengths(counts: NDArray[np.int64]) -> Bytes:
    """Of each symbol's code. Counts are halved until no code is longer than `LONGEST`, as bzip2 does."""
    while (lengths := _unlimited(counts)).max() > LONGEST:
        counts = np.where(counts > 0, counts // 2 + 1, 0)
    return lengths.astype(np.uint8)


def _unlimited(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    lengths, ages = np.zeros(len(counts), np.int64), count()
    heap = [(int(counts[symbol]), next(ages), [symbol]) for symbol in np.flatnonzero(counts)]
    lengths[counts > 0] = len(heap) == 1  # one symbol alone takes a bit, too
    heapq.heapify(heap)
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        both = one[2] + other[2]
        lengths[both] += 1
        heapq.heappush(heap, (one[0] + other[0], next(ages), both))
    return lengths


def _codes(lengths: Bytes) -> NDArray[np.int64]:
    """The canonical codes: in order of length, then of symbol, each the one before plus 1."""
    codes, code, before = np.zeros(len(lengths), np.int64), 0, 0
    for symbol in _ordered(lengths):
        code <<= int(lengths[symbol]) - before
        codes[symbol], before = code, int(lengths[symbol])
        code += 1
    return codes


def _ordered(lengths: Bytes) -> NDArray[np.int64]:
    used = np.flatnonzero(lengths)
    return used[np.argsort(lengths[used], kind="stable")]


def _table(lengths: Bytes) -> tuple[Bytes, NDArray[np.int64]]:
    """Of each 16 bits, the symbol whose code they begin with, and its length."""
    order = _ordered(lengths)
    spans = 1 << (LONGEST - lengths[order].astype(np.int64))
    symbol, length = np.zeros(1 << LONGEST, np.uint8), np.ones(1 << LONGEST, np.int64)
    symbol[: spans.sum()] = np.repeat(order, spans)
    length[: spans.sum()] = np.repeat(lengths[order], spans)
    return symbol, length


def _windows(packed: Bytes) -> NDArray[np.int64]:
    """The 16 bits from each bit on, zeros after the last."""
    bits = np.unpackbits(packed)
    padded = np.concatenate([bits, np.zeros(LONGEST, np.uint8)]).astype(np.int64)
    seen = np.zeros(len(bits), np.int64)
    for place in range(LONGEST):
        seen |= padded[place : place + len(bits)] << (LONGEST - 1 - place)
    return seen
