"""Stored expectations: read and write their files, and judge measurements by them.

Nothing here imports torch, pandas or tomlkit until a file is written.
"""

from suite.gate.bounds import propose
from suite.gate.check import check
from suite.gate.check_shapes import check_shapes
from suite.gate.files.files import load, load_all, load_both, load_shapes
from suite.gate.files.store import Store
from suite.gate.policy import fails
from suite.gate.recording.record import Recorded, Skipped, Storing, record, skipped_lines
from suite.gate.unanswered import unanswered

__all__ = [
    "Recorded",
    "Skipped",
    "Store",
    "Storing",
    "check",
    "check_shapes",
    "fails",
    "load",
    "load_all",
    "load_both",
    "load_shapes",
    "propose",
    "record",
    "skipped_lines",
    "unanswered",
]
