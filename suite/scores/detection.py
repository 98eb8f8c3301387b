"""Object detection: mean average precision over the classes, at one overlap.

Outputs and targets are dictionaries of padded tensors: ``boxes`` [N, M, 4] as (x1, y1, x2, y2), ``labels`` [N, M] with
-1 for padding, outputs also ``scores`` [N, M].
"""

from __future__ import annotations

from functools import partial
from typing import Any

from suite.scores.score import Score

PADDING = -1


def detection(*, overlap: float = 0.5) -> tuple[Score, ...]:
    """Mean average precision at an intersection over union of ``overlap``, all points interpolated (VOC 2010 on)."""
    return (
        Score(
            name="mean_average_precision", better="higher", aggregate=partial(mean_average_precision, overlap=overlap)
        ),
    )


def mean_average_precision(outputs: Any, targets: Any, *, overlap: float) -> float:
    """Mean over the classes that occur among the targets; 0 where there are none."""
    import numpy as np  # a user's declarations need not load it

    found = {name: np.asarray(value) for name, value in outputs.items()}
    truth = {name: np.asarray(value) for name, value in targets.items()}
    classes = np.unique(truth["labels"][truth["labels"] != PADDING])
    each = [_average_precision(found, truth, label, overlap) for label in classes]
    return float(np.mean(each)) if each else 0.0


def _average_precision(found: Any, truth: Any, label: int, overlap: float) -> float:
    """Area under precision over recall: detections by falling score, each box of the truth found once."""
    import numpy as np  # a user's declarations need not load it

    scores, hits = [], []
    for item in range(len(truth["labels"])):
        said = found["labels"][item] == label
        order = np.argsort(-found["scores"][item][said], kind="stable")
        scores += found["scores"][item][said][order].tolist()
        hits += _hits(found["boxes"][item][said][order], truth["boxes"][item][truth["labels"][item] == label], overlap)
    wanted = int((truth["labels"] == label).sum())
    ranked = np.array(hits, dtype=float)[np.argsort(-np.array(scores), kind="stable")]
    recall = np.cumsum(ranked) / wanted
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best_from_here).sum())


def _hits(boxes: Any, truth: Any, overlap: float) -> list[bool]:
    """Whether each box, best first, overlaps one of the truth that no better box has taken."""
    import numpy as np  # a user's declarations need not load it

    taken: set[int] = set()
    hits = []
    for box in boxes:
        overlaps = _overlaps(box, truth)
        best = int(np.argmax(overlaps)) if len(overlaps) else -1
        hit = best >= 0 and overlaps[best] >= overlap and best not in taken
        taken |= {best} if hit else set()
        hits.append(bool(hit))
    return hits


def _overlaps(box: Any, others: Any) -> Any:
    """Intersection over union of ``box`` [4] with ``others`` [m, 4]."""
    import numpy as np  # a user's declarations need not load it

    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2]) - shared
    return np.divide(shared, areas, out=np.zeros_like(areas), where=areas > 0)
