"""A recipe that several ranks train together: the launch, the share of a batch that a rank takes, its loss's weight.

The training loop stays the one of `suite.training.loop`; every rank runs it. A rank draws the same batches as the
others and takes its share. Outside of a launch (a preflight, a count of operators) the recipe trains in one process.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from suite.core.errors import UsageError
from suite.training.distributed.launching import LaunchLimits, Rank, RankError, run_ranks
from suite.training.distributed.whole import digests, whole
from suite.training.preparing import check_first
from suite.training.recipe import Backward, Batch, Gradients, Loss, Recipe, Trainee
from suite.training.trees import take

__all__ = [
    "WEIGHT", "ForkedRanks", "RankForm", "flags_of_a_rank", "in_ranks", "of_share", "share", "sharing_batches",
    "summed_loss",
]  # fmt: skip

T = TypeVar("T")
Wrap = Callable[[nn.Module], Callable[[Any], Any]]
"""Makes the form of a network that a rank trains, in the rank: all ranks call it at once."""

UNENDED = LaunchLimits(whole=None)
WEIGHT = "weight of a rank's share"
SEED = "seed of a rank's random numbers"


@dataclass(frozen=True, kw_only=True, eq=False)
class ForkedRanks:
    """The `suite.training.launch.Launch` of forks of this process on this machine's cores.

    A training may take as long as it does; ``limits`` end a rank that waits too long for the others.
    """

    ranks: int
    limits: LaunchLimits = UNENDED

    def run(self, train: Callable[[], T], network: nn.Module) -> T:
        """Train in every rank; ``network`` then has rank 0's weights and buffers.

        Raises `RankError` if the ranks end with different weights.
        """

        def work(rank: Rank) -> tuple[bytes, bytes]:
            told = train()
            _check_agreement(network)
            state = {name: value.cpu() for name, value in whole(network).items()}  # all ranks gather
            return (pickle.dumps(told), pickle.dumps(state)) if rank.index == 0 else (b"", b"")

        told, state = run_ranks(work, self.ranks, self.limits)[0]
        _load(network, pickle.loads(state))  # noqa: S301  # our own fork wrote it
        returned: T = pickle.loads(told)  # noqa: S301
        return returned


def _check_agreement(network: nn.Module) -> None:
    """All ranks end with the same weights; buffers may differ, since each rank normalises its own share."""
    mine = digests(network)
    all_of_them: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(all_of_them, mine)
    for index, other in enumerate(all_of_them):
        name = next((name for name, digest in other.items() if digest != all_of_them[0][name]), None)
        if name is not None:
            raise RankError(
                f"rank {index} of {len(all_of_them)} ends with other values of {name} than rank 0: its gradient is not "
                "reduced over the ranks, or not alike"
            )


@torch.no_grad()
def _load(network: nn.Module, state: dict[str, Tensor]) -> None:
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        tensor.copy_(state[name])


class RankForm:
    """The form of a network that training calls: wrapped in a rank, the plain network outside of a launch.

    A rank wraps at once if it prepares the network itself, else at the first call.
    """

    def __init__(self, network: nn.Module, wrap: Wrap) -> None:
        self.network, self.wrap = network, wrap
        self._wrapped: Callable[[Any], Any] | None = None
        if dist.is_initialized():
            self.wrapped  # noqa: B018  # an optimizer that is made next finds the weights that it is to update

    @property
    def wrapped(self) -> Callable[[Any], Any]:
        """What this rank calls."""
        if not dist.is_initialized():
            return self.network
        if self._wrapped is None:
            self._wrapped = self.wrap(self.network)
        return self._wrapped

    def __call__(self, inputs: Any) -> Any:
        return self.wrapped(inputs)


def in_ranks(recipe: Recipe, technique: str, ranks: int, wrap: Wrap) -> Recipe:
    """``recipe`` trained by ``ranks`` processes, each of which calls ``wrap(network)``: slots ``launch``, ``prepare``.

    Raises `UsageError` for fewer than two ranks, `CompositionError` if another technique wraps the network.
    """
    if ranks < 2:  # noqa: PLR2004  # one rank is the baseline
        raise UsageError(f"{technique}: ranks must be 2 or more, got {ranks}")
    check_first(recipe, technique, "wraps")
    return replace(recipe, launch=ForkedRanks(ranks=ranks), prepare=lambda network: RankForm(network, wrap))


def flags_of_a_rank(recipe: Recipe) -> dict[str, int | str]:
    """The recipe's settings of torch that a rank runs under: all but ``threads``, of which a rank has one."""
    return {name: value for name, value in recipe.flags.items() if name != "threads"}


def sharing_batches(recipe: Recipe, gradients: Gradients | None = None, *, alike: int = 1) -> Recipe:
    """``recipe`` whose ranks divide each batch among them: slots ``gradients``, ``loss``.

    ``gradients`` goes through a rank's share; the recipe's own where it is not given. ``alike`` ranks that follow each
    other take the same share.
    """
    through = recipe.gradients if gradients is None else gradients

    def shared(trainee: Trainee, batch: Batch, backward: Backward) -> Tensor:
        return of_share(through, trainee, batch, backward, alike=alike)

    return replace(recipe, gradients=shared, loss=_weighted(recipe.loss))


def of_share(through: Gradients, trainee: Trainee, batch: Batch, backward: Backward, *, alike: int = 1) -> Tensor:
    """Gradients of this rank's share of ``batch``; the loss is the whole batch's.

    The ranks draw different random numbers from the first step on: dropout masks of two shares are independent.
    """
    if not dist.is_initialized():
        return through(trainee, batch, backward)
    number, shares = dist.get_rank() // alike, dist.get_world_size() // alike
    _draw_apart(trainee, number)
    mine, trainee.kept[WEIGHT] = share(batch, number, shares)
    loss = through(trainee, mine, backward)
    trainee.kept[WEIGHT] = 1.0  # a validation loss has no share
    return summed_loss(loss) / dist.get_world_size()


def _draw_apart(trainee: Trainee, number: int) -> None:
    """Seed torch for a share: before its first step, and whenever all ranks were seeded alike since."""
    if trainee.steps == 0 or trainee.kept.get(SEED) != torch.initial_seed():
        torch.manual_seed(torch.initial_seed() + number)
        trainee.kept[SEED] = torch.initial_seed()


def share(batch: Batch, number: int, shares: int) -> tuple[Batch, float]:
    """The items of one of ``shares`` of a batch, and the weight of their mean loss: gradients are averaged over shares.

    Shares differ by one item if their number does not divide the batch: an equal weight would then be wrong. A share
    without an item takes the first one with weight 0, since all ranks have to take part in every collective.
    """
    size, more = divmod(len(batch), shares)
    begin = number * size + min(number, more)
    items = size + (number < more)
    chosen = slice(begin, begin + items) if items else slice(1)
    mine = Batch(inputs=take(batch.inputs, chosen), targets=take(batch.targets, chosen))
    return mine, shares * items / len(batch)


def summed_loss(loss: Tensor) -> Tensor:
    """The sum over the ranks of a detached scalar."""
    total = loss.detach().clone()
    dist.all_reduce(total)
    return total


def _weighted(loss: Loss) -> Loss:
    def weighted(trainee: Trainee, batch: Batch, output: Any) -> Tensor:
        weight: float = trainee.kept.get(WEIGHT, 1.0)
        return loss(trainee, batch, output) * weight

    return weighted
