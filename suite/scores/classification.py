"""Classification: outputs [N, K] are scores of K classes, targets [N] the right ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from suite.scores.score import Score

if TYPE_CHECKING:
    import numpy as np


def classification() -> tuple[Score, ...]:
    """Accuracy; precision and recall as plain means over the classes."""
    return (
        Score(name="accuracy", better="higher", per_item=right, about="share of test items classified correctly"),
        Score(name="macro_precision", better="higher", aggregate=macro_precision),
        Score(name="macro_recall", better="higher", aggregate=macro_recall),
    )


def right(outputs: Any, targets: Any) -> Any:
    """1 where the class with the highest score is the target, else 0, [N]."""
    return outputs.argmax(1) == targets


def macro_precision(outputs: Any, targets: Any) -> float:
    """Of what is said to be a class, the share that is; mean over the classes that occur."""
    return macro(outputs.argmax(1).numpy(), targets.numpy())[0]


def macro_recall(outputs: Any, targets: Any) -> float:
    """Of what is a class, the share that is said to be; mean over the classes that occur."""
    return macro(outputs.argmax(1).numpy(), targets.numpy())[1]


def macro(predicted: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Precision and recall, each the plain mean over the classes that occur; an absent prediction counts as 0.

    As scikit-learn's ``precision_recall_fscore_support(average="macro", zero_division=0)``, fast enough to bootstrap.
    """
    import numpy as np  # a user's declarations need not load it

    predicted, targets = predicted.astype(np.int64), targets.astype(np.int64)  # classes squared overflow small types
    classes = int(max(predicted.max(), targets.max())) + 1
    table = np.bincount(targets * classes + predicted, minlength=classes**2).reshape(classes, classes)
    hits, truth, said = np.diag(table), table.sum(1), table.sum(0)
    occurs = (truth + said) > 0
    precision = np.divide(hits, said, out=np.zeros(classes), where=said > 0)[occurs].mean()
    recall = np.divide(hits, truth, out=np.zeros(classes), where=truth > 0)[occurs].mean()
    return float(precision), float(recall)
