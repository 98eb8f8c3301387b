"""Real learning curves, as LCDB 1.1 stores them, cut into points to fit and points to predict.

Format: ``meta.json`` names ``learners`` and ``anchors`` (training-set sizes); ``er/<data set>.json`` holds error rates
by [learner][mean, standard error][anchor][train, validation, test], null where missing. Source: Yan, Mohr and Viering,
LCDB 1.1: a database illustrating learning curves are more ill-behaved than previously thought, 2025.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting.errors import ExtrapolationError

Array = NDArray[np.float64]

LEAST = 40  # anchors
RANGE = 0.02  # of accuracy; what is flatter has nothing to predict
HELD_BACK = 4.0  # the largest size over the largest that is fitted: two doublings
ROUNDING = 1.04  # anchors are rounded to integers, 1.09 apart
BASELINE = "DummyClassifier"
VALIDATION, TEST = 1, 2
ERRORS = 3.0  # standard errors, and
SHARE = 0.1  # of the range: a fall of more than both, in both columns, is real


@dataclass(frozen=True, kw_only=True)
class CurveSample:
    """A curve: accuracy ``y`` [n] at ``x`` [n], ``future`` [m] at ``to`` [m]; ``ordinary`` if it truly never falls."""

    dataset: str
    learner: str
    x: Array
    y: Array
    to: Array
    future: Array
    ordinary: bool


def read(folder: Path) -> list[CurveSample]:
    """All curves of a folder that are long enough and not flat. Raises `ExtrapolationError` for a folder without."""
    meta = folder / "meta.json"
    if not meta.is_file():
        raise ExtrapolationError(f"{folder} holds no meta.json; give a folder in the format of LCDB 1.1")
    about = json.loads(meta.read_text(encoding="utf-8"))
    anchors = np.array(about["anchors"], dtype=np.float64)
    found = [
        sample for path in sorted(folder.glob("er/*.json")) for sample in _of_dataset(path, about["learners"], anchors)
    ]
    if not found:
        raise ExtrapolationError(f"{folder} holds no curve of {LEAST} anchors and a range of {RANGE} in er/*.json")
    return found


def _of_dataset(path: Path, learners: Sequence[str], anchors: Array) -> Iterator[CurveSample]:
    cells = np.array(json.loads(path.read_text(encoding="utf-8")), dtype=np.float64)
    for learner, cell in zip(learners, cells, strict=True):
        there = np.isfinite(cell[0, :, VALIDATION])
        kept, sizes = cell[:, there], anchors[there]
        if learner != BASELINE and len(sizes) >= LEAST and np.ptp(kept[0, :, VALIDATION]) >= RANGE:
            yield _sample(path.stem, learner, sizes, kept)


def _sample(dataset: str, learner: str, sizes: Array, cell: Array) -> CurveSample:
    seen = sizes <= sizes[-1] / HELD_BACK * ROUNDING
    accuracy = 1 - cell[0, :, VALIDATION]
    return CurveSample(
        dataset=dataset,
        learner=learner,
        x=sizes[seen],
        y=accuracy[seen],
        to=sizes[~seen],
        future=accuracy[~seen],
        ordinary=not (_fell(cell[:, seen, VALIDATION]) & _fell(cell[:, seen, TEST])).any(),
    )


def _fell(cell: Array) -> NDArray[np.bool_]:
    """Pairs of points [n, n] between which the error rate rose for certain; ``cell`` [2, n] is mean and standard error.

    Standard errors are what a forecast does not see: they tell real falls from noise independently of it.
    """
    mean, error = cell
    rise = mean[None] - mean[:, None]
    certain = ERRORS * np.hypot(error[None], error[:, None])
    return np.triu((rise > certain) & (rise > SHARE * np.ptp(mean)), 1)


def padded(parts: Sequence[Array], *, front: bool, fill: float | None = None) -> Array:
    """Arrays [n of its own] as one [k, largest n], the free places at the front or the end holding ``fill``.

    Without ``fill``, the last value of each is repeated.
    """
    width = max(map(len, parts))
    out = np.array([np.full(width, part[-1] if fill is None else fill) for part in parts])
    for row, part in zip(out, parts, strict=True):
        row[slice(width - len(part), None) if front else slice(len(part))] = part
    return out
