"""What the name of a column or tag says of a quality: what it is and which direction is better.

Values cannot tell a diverging loss from a rising accuracy, so the direction comes from the name or from the user.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from suite.curves.forecasting.errors import ExtrapolationError
from suite.curves.forecasting.kinds import Kind, kinds

Array = NDArray[np.float64]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LOSSES = _set(
    "loss nll ce bce xent crossentropy entropy perplexity ppl bpb bpc bits mse rmse mae mape smape msle rmsle logloss "
    "brier hinge kl divergence fid kid lpips dfl cost regret energy deviance residual distance ece squared absolute"
)
ERRORS = _set("error err errors wer cer ter eer miss misses misclassification hter fpr fnr mislabeled")
RATES = _set(
    "accuracy acc precision recall f1 f2 fbeta auc auroc roc auprc map ap iou miou dice jaccard r2 correct kappa mcc "
    "ndcg mrr hit hits sensitivity specificity exact success win ssim tpr tnr pck em"
)
GAINS = _set("reward return returns bleu rouge meteor chrf cider psnr elo likelihood throughput elbo spearman pearson")
WEAK = frozenset(
    ("score", "quality", "top1", "top3", "top5", "top")
)  # of anything that is better when higher, unless another word says more
TURNED = frozenset(("neg", "negative", "minus", "negated"))
PAIRS = {("false", "positive"): "miss", ("false", "negative"): "miss", ("true", "positive"): "hit",
         ("true", "negative"): "hit"}  # fmt: skip
GROUPS = {"loss": LOSSES, "error": ERRORS, "accuracy": RATES, "gain": GAINS}
BETTER = {"loss": "lower", "error": "lower", "accuracy": "higher", "gain": "higher"}
OTHER = {"higher": "lower", "lower": "higher"}
TELL = "say --kind accuracy, --kind loss, --better higher or --better lower"


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """The ``kind`` that a quality is taken for, and ``said``: that in a sentence, with where it is known from."""

    kind: Kind
    said: str


def assumed(name: str, y: Array, kind: str | None = None, better: str | None = None) -> Assumed:
    """The kind and direction of the quality called ``name`` with values ``y`` [n]: as given, else as the name says.

    Raises `ExtrapolationError` where neither tells which direction is better, and for values that the kind cannot take.
    """
    group = group_of(name)
    kind = None if kind == "auto" else kind
    named = BETTER.get(group or "")
    direction = "lower" if kind == "loss" else better or named or ("higher" if kind == "accuracy" else None)
    if direction is None:
        raise ExtrapolationError(f"{name!r} does not tell whether higher or lower is better; {TELL}")
    space = kind or (_space(group, y) if direction == named else "auto")
    found = kinds(y[None], space, better or direction)[0]
    source = "as given" if kind == "loss" or better else "by its name" if named else f"by --kind {kind}"
    words = {"loss": "a loss", "unbounded": "unbounded"}.get(found.space, "bounded in [0, 1]")
    return Assumed(kind=found, said=f"{name} is taken as {words}, better when {found.better} ({source})")


def group_of(name: str) -> str | None:
    """``loss``, ``error``, ``accuracy`` or ``gain`` of a column's name; None where it says nothing or two things."""
    words = _words(name.rpartition(" - ")[2])  # an export of several runs: "run - column"
    found = {group for group, known in GROUPS.items() if known & words}
    if not found and words & WEAK:
        found = {"gain"} if words & TURNED else {"accuracy"}
    if found == {"loss", "error"}:
        found = {"loss"}
    if len({BETTER[group] for group in found}) != 1:
        return None
    group = "gain" if len(found) > 1 else found.pop()
    return _turned(group) if words & TURNED else group


def _turned(group: str) -> str:
    """What the negative of a quality is: no longer bounded or positive."""
    return "gain" if BETTER[group] == "lower" else "loss"


def _words(name: str) -> set[str]:
    """The words of a name in any spelling: ``val_loss``, ``valLoss``, ``eval/loss``, ``acc@1``, ``mAP50-95``."""
    parts = [part for part in re.split(r"[^0-9A-Za-z]+", name) if part]
    humps = [hump for part in parts for hump in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", part)]
    words = [word.lower() for word in humps]
    paired = {PAIRS[pair] for pair in pairwise(words) if pair in PAIRS}
    whole = {part.lower() for part in parts}
    found = {*words, *whole, *(part.rstrip("0123456789") for part in whole), *paired}
    return found - TURNED if paired else found


def _space(group: str | None, y: Array) -> str:
    """The space of values that a name promises, if they keep the promise."""
    bounded = bool(((y >= 0) & (y <= 1)).all())
    if group in {"accuracy", "error"} and bounded:
        return "accuracy"
    return "loss" if group in {"loss", "error"} and bool((y > 0).all()) else "unbounded"
