"""Classification: outputs [N, K] are scores of K classes, targets [N] the right ones.

One output [N] or [N, 1] is the logit of class 1 of two. Targets may be one-hot [N, K]; of several outputs the scores
are those that `answer_of` finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from suite.registry.score import Score
from suite.training.trees import answer_of

if TYPE_CHECKING:
    import numpy as np


def classification() -> tuple[Score, ...]:
    """Accuracy; precision and recall as plain means over the classes."""
    return (
        Score(
            name="accuracy",
            better="higher",
            per_item=right,
            about="share of test items classified correctly",
            classifies=True,
        ),
        Score(name="macro_precision", better="higher", aggregate=macro_precision),
        Score(name="macro_recall", better="higher", aggregate=macro_recall),
    )


def right(outputs: Any, targets: Any) -> Any:
    """1 where the class with the highest score is the target, else 0, [N]."""
    found = predicted(outputs)
    return found == labels(targets, found)


def macro_precision(outputs: Any, targets: Any) -> float:
    """Of what is said to be a class, the share that is; mean over the classes that occur."""
    found = predicted(outputs)
    return macro(found.numpy(), labels(targets, found).numpy())[0]


def macro_recall(outputs: Any, targets: Any) -> float:
    """Of what is a class, the share that is said to be; mean over the classes that occur."""
    found = predicted(outputs)
    return macro(found.numpy(), labels(targets, found).numpy())[1]


def predicted(outputs: Any) -> Any:
    """The class that outputs stand for, [N]: the highest score, or for one logit whether it is above 0."""
    scores = answer_of(outputs)
    return (scores.flatten() > 0).long() if is_one_logit(scores) else scores.argmax(1)


def labels(targets: Any, like: Any) -> Any:
    """Targets as whole numbers in the shape of ``like`` [N]; one-hot targets [N, K] as the number of their class."""
    if targets.dim() > like.dim() and targets.shape[1] > 1:
        return targets.argmax(1)
    return targets.reshape(like.shape)


def is_one_logit(scores: Any) -> bool:
    """Whether the network answers with one number for each item: the logit of class 1 of two classes."""
    return bool(scores.dim() == 1 or (scores.dim() == 2 and scores.shape[1] == 1))  # noqa: PLR2004  # [N, 1]


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
