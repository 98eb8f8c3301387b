"""Stored expectations: read and write their files, and judge measurements by them.

Nothing here imports torch, pandas or tomlkit until a file is written.
"""

from suite.expect.bounds import propose
from suite.expect.check import check
from suite.expect.check_shapes import check_shapes
from suite.expect.files import load, load_all, load_both, load_shapes
from suite.expect.policy import fails
from suite.expect.record import Recorded, record
from suite.expect.store import Store
from suite.expect.unanswered import unanswered

__all__ = [
    "Recorded",
    "Store",
    "check",
    "check_shapes",
    "fails",
    "load",
    "load_all",
    "load_both",
    "load_shapes",
    "propose",
    "record",
    "unanswered",
]
