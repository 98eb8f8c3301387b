"""Object detection: mean average precision over the classes, at one overlap.

Outputs and targets are dictionaries of padded tensors: ``boxes`` [N, M, 4] as (x1, y1, x2, y2), ``labels`` [N, M] with
-1 for padding, outputs also ``scores`` [N, M].
"""

from __future__ import annotations

from functools import partial
from typing import Any

from suite.registry.score import Score

PADDING = -1


def detection(*, overlap: float = 0.5) -> tuple[Score, ...]:
    """Mean average precision at an intersection over union of ``overlap``, all points interpolated (VOC 2010 on).

    Named by the overlap: ``average_precision_50`` at 0.5.
    """
    return (
        Score(
            name=f"average_precision_{100 * overlap:g}".replace(".", "_"), better="higher",
            aggregate=partial(mean_average_precision, overlap=overlap),
            about=f"average precision at an intersection over union of {overlap:g}, plain mean over the classes",
        ),
    )  # fmt: skip


def mean_average_precision(outputs: Any, targets: Any, *, overlap: float) -> float:
    """Mean over the classes that occur among the targets; 0 where there are none."""
    import numpy as np  # a user's declarations need not load it

    truth = {name: np.asarray(value) for name, value in targets.items()}
    found = _by_score({name: np.asarray(value) for name, value in outputs.items()})
    hits = _hits(found, truth, overlap)
    wanted = truth["labels"][truth["labels"] != PADDING]
    each = [_average_precision(found, hits, label, int((wanted == label).sum())) for label in np.unique(wanted)]
    return float(np.mean(each)) if each else 0.0


def _by_score(found: dict[str, Any]) -> dict[str, Any]:
    """The detections of each item by falling score."""
    import numpy as np  # a user's declarations need not load it

    order = np.argsort(-found["scores"], axis=1, kind="stable")
    boxes = np.take_along_axis(found["boxes"], order[..., None], axis=1)
    return {"boxes": boxes} | {name: np.take_along_axis(found[name], order, axis=1) for name in ("labels", "scores")}


def _average_precision(found: dict[str, Any], hits: Any, label: int, wanted: int) -> float:
    """Area under precision over recall: detections of one class by falling score."""
    import numpy as np  # a user's declarations need not load it

    said = found["labels"] == label
    ranked = hits[said][np.argsort(-found["scores"][said], kind="stable")]
    recall = np.cumsum(ranked) / wanted
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best_from_here).sum())


def _hits(found: dict[str, Any], truth: dict[str, Any], overlap: float) -> Any:
    """Whether each detection [N, M] overlaps, most of all boxes of its class, one that no better one has taken."""
    import numpy as np  # a user's declarations need not load it

    overlaps = _overlaps(found["boxes"], truth["boxes"])
    pairs = (found["labels"][:, :, None] == truth["labels"][:, None]) & (truth["labels"] != PADDING)[:, None]
    overlaps = np.where(pairs, overlaps, -1.0)
    items = np.arange(len(overlaps))
    taken = np.zeros(truth["labels"].shape, dtype=bool)
    hits = np.zeros(found["labels"].shape, dtype=bool)
    for rank in range(hits.shape[1] if taken.shape[1] else 0):
        best = overlaps[:, rank].argmax(1)
        hits[:, rank] = (overlaps[items, rank, best] >= overlap) & ~taken[items, best]
        taken[items, best] |= hits[:, rank]
    return hits


def _overlaps(boxes: Any, others: Any) -> Any:
    """Intersection over union of ``boxes`` [N, M, 4] with ``others`` [N, T, 4], as [N, M, T]."""
    import numpy as np  # a user's declarations need not load it

    boxes, others = boxes[:, :, None].astype(float), others[:, None].astype(float)
    low, high = np.maximum(boxes[..., :2], others[..., :2]), np.minimum(boxes[..., 2:], others[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = _area(boxes) + _area(others) - shared
    return np.divide(shared, areas, out=np.zeros_like(areas), where=areas > 0)


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
