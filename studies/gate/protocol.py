"""What a process of the study is asked: one line of `suite.core.transport` on standard input, answers on its output."""

from __future__ import annotations

import msgspec

from studies.gate.decide import GateTerms


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Measure one ratio with the share ``planted`` of more work. The answer is a `suite.core.records.Measurement`."""

    planted: float


class Decide(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Take a decision for each share for ``until`` seconds. Each answer is a `studies.gate.decide.Decision`.

    ``fresh`` is the share of planted slowdowns whose repeats are in fresh processes.
    """

    planted: tuple[float, ...]
    until: float
    fresh: float


class StudyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One task with a network that ``seed`` makes."""

    task: Sample | Decide
    terms: GateTerms
    seed: int
