"""Recordings as `suite.analysis.profile.recording.record` makes them, written down."""

from suite.analysis.profile.recording import Operator, Recording

MILLI = 1e-3


def operator(name="aten::mm", *, calls=1.0, ms=1.0, flops=0.0, moved=0.0, dtype="float32"):
    return Operator(
        name=name, calls=calls, events=2 * calls, seconds=ms * MILLI, flops=flops, moved=moved, dtype=dtype
    )  # fmt: skip


def recording(*operators, data=0.1, compute=10.0, profiled=None, device="cpu", rounds=9):
    """Steady rounds; times in ms."""
    return Recording(
        name="recorded", device=device, data=(data * MILLI,) * rounds, compute=(compute * MILLI,) * rounds,
        profiled=((profiled or compute) * MILLI,) * 5, operators=operators, tiny=2e-6,
    )  # fmt: skip
