"""Bytes that this process has sent to other ranks, as the kernel counts them; and the least that a ring needs."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OPEN = Path("/proc/self/fd")
BYTES_SENT = 200  # offset of tcpi_bytes_sent in Linux' struct tcp_info, since 4.19
LONG = 256  # bytes of the structure that are read


def sent_bytes() -> int | None:
    """Bytes sent through all TCP connections that are open now, repeated ones included; ``None`` where unknown.

    The counters are those of ``getsockopt(TCP_INFO)``: gloo sends over TCP, also between ranks of one machine.
    """
    if not OPEN.is_dir():
        return None
    counts = [count for entry in OPEN.iterdir() if (count := _sent(int(entry.name))) is not None]
    return sum(counts) if counts else None


def _sent(descriptor: int) -> int | None:
    for own in _socket(descriptor):
        if own.family in (socket.AF_INET, socket.AF_INET6) and own.type == socket.SOCK_STREAM:
            info = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LONG)
            return int(struct.unpack_from("Q", info, BYTES_SENT)[0]) if len(info) >= BYTES_SENT + 8 else None
    return None


def _socket(descriptor: int) -> Iterator[socket.socket]:
    """The socket of a descriptor, if it is one; a copy, so that closing it leaves the original open."""
    with suppress(OSError):
        own = socket.socket(fileno=os.dup(descriptor))
        try:
            yield own
        finally:
            own.close()


def ring_bytes(payload: int, ranks: int) -> float:
    """What each of ``ranks`` has to send to all-reduce ``payload`` bytes: 2 (ranks - 1) / ranks times as many.

    Patarasuk & Yuan 2009, https://doi.org/10.1016/j.jpdc.2008.09.002: no algorithm sends less from its busiest rank.
    """
    return 2 * (ranks - 1) / ranks * payload
