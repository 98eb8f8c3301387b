"""Trees of tensors: inputs, targets and outputs are one tensor [N, ...], or tuples, lists and dictionaries of them.

torch's own pytree utilities do the work; they are what ``torch.export`` and ``torch.compile`` use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from suite.core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

Tree = Any
"""A tensor [N, ...], or a tuple, list or dictionary of trees."""


def leaves(tree: Tree) -> list[Tensor]:
    """The tensors of a tree, in a fixed order. Raises `UsageError` for a tree that holds anything else, or nothing."""
    import torch
    from torch.utils._pytree import tree_leaves  # no public name holds them

    found = tree_leaves(tree)
    strange = [leaf for leaf in found if not isinstance(leaf, torch.Tensor)]
    if strange or not found:
        raise UsageError(
            f"data must be tensors, or tuples, lists or dictionaries of tensors; found {_strange(strange)}"
        )
    return found


def _strange(found: list[Any]) -> str:
    if not found:
        return "nothing"
    if found[0] is None:
        return "None; items without labels have their inputs as targets (targets=inputs), or zeros [N]"
    return f"{type(found[0]).__name__} ({str(found[0])[:40]!r})"


def tree_map(change: Callable[[Tensor], Any], tree: Tree) -> Tree:
    """The same tree with every tensor changed."""
    import torch
    from torch.utils._pytree import tree_map_only

    return tree_map_only(torch.Tensor, change, tree)


def length(tree: Tree) -> int:
    """``N``, the leading dimension that all tensors share. Raises `UsageError` where they differ or have none."""
    sizes = {leaf.shape[0] if leaf.dim() else None for leaf in leaves(tree)}
    if len(sizes) > 1 or None in sizes:
        shapes = ", ".join(str(tuple(leaf.shape)) for leaf in leaves(tree))
        raise UsageError(f"all tensors of a split must begin with the same number of items; found shapes {shapes}")
    return int(next(size for size in sizes if size is not None))


def take(tree: Tree, index: Any) -> Tree:
    """The items that ``index`` (a slice, or a tensor of indices or truth values) chooses."""
    return tree_map(lambda leaf: leaf[index], tree)


def split(tree: Tree, size: int) -> Iterator[Tree]:
    """Consecutive parts of ``size`` items; the last one may be shorter."""
    for start in range(0, length(tree), size):
        yield take(tree, slice(start, start + size))


def to(tree: Tree, device: str) -> Tree:
    """The same tree on ``device``."""
    return tree_map(lambda leaf: leaf.to(device), tree)


def cat(trees: Sequence[Tree]) -> Tree:
    """Trees of equal structure joined along their items."""
    import torch
    from torch.utils._pytree import tree_flatten, tree_unflatten

    flat = [tree_flatten(tree) for tree in trees]
    columns = zip(*(found for found, _ in flat), strict=True)
    return tree_unflatten([torch.cat(list(column)) for column in columns], flat[0][1])


def fill_up(tree: Tree, size: int) -> Tree:
    """The items repeated up to exactly ``size``, or cut to it."""
    count = length(tree)
    repeats = -(-size // count)
    return tree_map(lambda leaf: leaf.repeat(repeats, *([1] * (leaf.dim() - 1)))[:size], tree)


def is_image(tree: Tree) -> bool:
    """Whether the inputs are one floating tensor [N, C, H, W], for which a memory layout can be chosen."""
    import torch

    return isinstance(tree, torch.Tensor) and tree.dim() == 4 and tree.is_floating_point()  # noqa: PLR2004  # N C H W


def answer_of(outputs: Any) -> Tensor:
    """The tensor that a network answers with: the outputs, their ``logits``, or the first of a tuple or list.

    Raises `UsageError` for outputs in which no such tensor is found.
    """
    import torch

    found = outputs
    if isinstance(found, Mapping):
        found = found.get("logits", next(iter(found.values())) if len(found) == 1 else None)
    if isinstance(found, tuple | list) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        held = f"keys {', '.join(map(str, outputs))}" if isinstance(outputs, Mapping) else type(outputs).__name__
        raise UsageError(
            f"the network answers with {held}, which does not say where the scores are; return a tensor, give them the "
            "name 'logits', or declare a Score and a loss of your own"
        )
    return found
