"""The likely fix of an exception from a user's data, network or loss, by torch's message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from suite.training.recipe import Splits
from suite.training.trees import leaves


def remedy(error: BaseException, splits: Splits | None) -> str:
    """The likely fix; empty if no known cause matches."""
    text = f"{type(error).__name__}: {error}"
    for pattern, advice in REMEDIES:
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            return advice if isinstance(advice, str) else advice(splits)
    return ""


def forms(splits: Splits | None) -> str:
    """The inputs and targets of the training data in a few words."""
    if splits is None:
        return ""
    return f"inputs {form(splits.train.inputs)}, targets {form(splits.train.targets)}"


def form(tree: Any) -> str:
    """A tree in a few words: ``float32 [N, 3]``, by key for a dictionary."""
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{key!r}: {form(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, tuple | list):
        return "(" + ", ".join(map(form, tree)) + ")"
    return f"{str(tree.dtype).removeprefix('torch.')} [{', '.join(['N', *map(str, tree.shape[1:])])}]"


def _keys(splits: Splits | None) -> str:
    return (
        f"the network is called with one batch: {forms(splits)}; a dictionary is passed as keywords if forward names "
        "all of its keys, else as one dictionary"
    )


def _labels(splits: Splits | None) -> str:
    found = [] if splits is None else [leaf for leaf in leaves(splits.train.targets) if not leaf.is_complex()]
    if not found:
        return "labels of K classes must be 0 to K - 1"
    low, high = (round(float(f), 3) for f in (found[0].min(), found[0].max()))
    less = "; subtract the smallest label from all of them" if low > 0 else ""
    return f"labels of K classes must be 0 to K - 1; these run from {low:g} to {high:g}{less}"


def _types(splits: Splits | None) -> str:
    return f"cast the inputs to the weights' type or the network to theirs ({forms(splits)}): .float(), .to(dtype)"


ONE_ITEM = "BatchNorm cannot train on one item: make `batches` drop a last batch of one item"
PREFIX = "the names have the prefix of DataParallel; load {name.removeprefix('module.'): value ...}"
OTHER_FILE = "the file is of another network, or its names have a prefix: compare the keys"
UNSAFE = "torch.load(..., weights_only=False) loads such a file; it can run code, so use it only if you trust the file"
NO_GRADIENT = "no weight requires a gradient, or the loss depends on none; a fixed network needs source='checkpoint'"
NO_LEAF = "keep no computed tensor as an attribute of a module: compute it in forward"
NO_COPY = "keep files, locks and sessions out of the module, or give it a __deepcopy__"

REMEDIES: tuple[tuple[str, str | Callable[[Splits | None], str]], ...] = (
    (r"unexpected keyword argument|missing \d+ required|takes \d+ positional|^KeyError", _keys),
    (r"target \S+ is out of bounds|class values must be", _labels),
    (r"more than 1 value per channel", ONE_ITEM),
    (r"same dtype|should be the same|expected (m1|scalar type)|expected object of scalar type", _types),
    (r"loading state_dict.*module\.\w", PREFIX),
    (r"loading state_dict", OTHER_FILE),
    (r"weights.only", UNSAFE),
    (r"does not require grad", NO_GRADIENT),
    (r"only tensors created explicitly", NO_LEAF),
    (r"cannot pickle|can't pickle", NO_COPY),
)
