"""Checks that outputs have an item in every row, and that labels are what the scores can judge them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from suite.catalog.scores.classification import is_one_logit
from suite.core.errors import UsageError
from suite.training.recipe import Recipe
from suite.training.trees import answer_of, leaves

OWN_SCORE = "(docs/workloads.md, 'Scores of your own')"
ROUNDING = 1e-3  # of the sum of probabilities


def check_items(outputs: Any, count: int) -> None:
    """Raise `UsageError` for an output that does not begin with the number of items."""
    found = list(_placed(outputs, ""))
    for path, leaf in found:
        if leaf.dim() == 0 or leaf.shape[0] != count:
            place = f" {path}" if len(found) > 1 else ""
            raise UsageError(
                f"for {count} item{'s' * (count != 1)} its output{place} has shape {tuple(leaf.shape)}; every output "
                f"must begin with the number of items ({_way(leaf, count, alone=len(found) == 1)})"
            )


def _placed(tree: Any, path: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of outputs, with their places: ``[1]``, ``['logits']``."""
    if isinstance(tree, Tensor):
        yield path, tree
        return
    named = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, value in named:
        yield from _placed(value, f"{path}[{key!r}]")


def _way(leaf: Tensor, count: int, *, alone: bool) -> str:
    places = [place for place, size in enumerate(leaf.shape) if size == count]
    if places and count > 1:
        transposed = f"items are in its dimension {places[0]}: transpose(0, {places[0]})"
        return transposed if alone else f"{transposed}, or return the logits alone"
    squeezed = "does a squeeze() or a mean() take that dimension?"
    return squeezed if alone else f"{squeezed} Or return the logits alone"


def check_labels(plain: Recipe, outputs: Any) -> None:
    """Raise `UsageError` for targets that classification cannot judge these outputs by."""
    scores = answer_of(outputs)
    for name in ("train", "test"):
        targets = getattr(plain.data(), name).targets
        if not isinstance(targets, Tensor):
            continue  # for a score of its own
        if targets.dim() > 1 and scores.dim() > 2 and targets[0].numel() > 1:  # noqa: PLR2004  # [N, K]
            raise UsageError(_of_pixels(targets, outputs))
        if targets.dim() > 1 and targets.shape[1] > 1:
            _check_one_hot(targets, name)
        else:
            _check_range(targets, outputs, name)


def _of_pixels(targets: Tensor, outputs: Any) -> str:
    shape = ", ".join(map(str, targets.shape[1:]))
    places = "1" if targets.dim() == 2 else str(tuple(range(1, targets.dim())))  # noqa: PLR2004  # [N, T]
    return (
        f"the targets have shape [N, {shape}] and {judged(outputs)}, but classification() judges one label of each "
        f"item; write a Score whose per_item averages them: (outputs.argmax(1) == targets).float().mean({places}) "
        f"{OWN_SCORE}"
    )


def _check_one_hot(targets: Tensor, name: str) -> None:
    """Rows of probabilities pass too: their class is the likeliest."""
    rows = targets.double().flatten(1)
    wrong = ((rows.sum(1) - 1).abs() > ROUNDING) | (rows < 0).any(1)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise UsageError(
            f"the {name} targets [N, {rows.shape[1]}] are no labels: row {row} sums to {float(rows[row].sum()):g}, so "
            "rows are not one-hot; write a Score, and a loss, for several labels of one item "
            f"{OWN_SCORE}"
        )


def _check_range(targets: Tensor, outputs: Any, name: str) -> None:
    scores = answer_of(outputs)
    count = 2 if is_one_logit(scores) or scores.numel() == len(scores) else scores.shape[1]
    low, high = float(targets.min()), float(targets.max())
    if low < 0 or high > count - 1 or not bool((targets == targets.round()).all()):
        shift = f"; subtract {low:g} from the labels" if low > 0 and high - low <= count - 1 else ""
        found = f"the {name} labels run from {low:g} to {high:g}, and {judged(outputs)} score{_s(outputs)} {count}"
        raise UsageError(f"{found} classes: labels must be whole numbers from 0 to {count - 1}{shift}{_other(outputs)}")


def judged(outputs: Any) -> str:
    """The output that classification judges, and its shape."""
    shape = tuple(answer_of(outputs).shape)
    if isinstance(outputs, Tensor):
        return f"the outputs {shape}"
    if isinstance(outputs, Mapping):
        return f"the output {'logits' if 'logits' in outputs else next(iter(outputs))!r} {shape}"
    return f"the first of {len(outputs)} outputs {shape}"


def _s(outputs: Any) -> str:
    return "" if isinstance(outputs, Tensor) else "s"


def _other(outputs: Any) -> str:
    """Which other output may be meant: one with several scores, where the judged one has a single number."""
    if not is_one_logit(answer_of(outputs)) or isinstance(outputs, Tensor):
        return ""
    others = [leaf for leaf in leaves(outputs) if leaf.dim() == 2 and leaf.shape[1] > 1]  # noqa: PLR2004  # [N, K]
    return f"; return the output {tuple(others[0].shape)} first, or alone" if others else ""


def told_other(outputs: Any) -> str:
    """What a run says of outputs of which the judged one may be a loss; empty if that is not so."""
    other = _other(outputs)
    return f"classification() judges {judged(outputs)} as the logit of class 1{other}" if other else ""


def looks_like_probability(outputs: Any) -> bool:
    """Whether the judged output is one number for each item, all within [0, 1] and not the same."""
    scores = answer_of(outputs)
    return is_one_logit(scores) and bool(0 <= scores.min() < scores.max() <= 1)


def told_probability(outputs: Any) -> str:
    """What a run says of probabilities in the place of a logit."""
    scores = answer_of(outputs).float()
    return (
        f"its one output lies within [0, 1] for all items ({float(scores.min()):.2g} to {float(scores.max()):.2g}), "
        "and for other weights too, as a probability does: classification() takes it for the logit of class 1 "
        "(class 1 above 0); return it without the sigmoid"
    )


def varied(network: torch.nn.Module) -> torch.nn.Module:
    """``network`` with other weights: logits of these are not all within [0, 1]."""
    for weight in network.parameters():
        if weight.is_floating_point():
            weight.data.normal_(std=3)
    return network
