"""Networks of other shapes than images, for techniques that should not care; a few items of random data for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn

from suite.registry import REGISTRY
from suite.training import loop
from suite.training.loop import Trained
from suite.training.recipe import Recipe, Split, Splits, same

TOKENS = 11


def recipe_of(model: Any, inputs: Any, **changes: Any) -> Recipe:
    """Trains for one epoch towards random values of the form that the network answers in."""
    torch.manual_seed(0)
    with torch.no_grad():
        targets = torch.randn_like(model()(inputs))
    part = Split(inputs=inputs, targets=targets)
    plain = Recipe(data=lambda: Splits(train=part, test=part), model=model, epochs=1, learning_rate=1e-2)
    return replace(plain, **({"loss": lambda _t, batch, output: F.mse_loss(output, batch.targets)} | changes))


def composed(text: str, plain: Recipe | None = None) -> Recipe:
    return REGISTRY.resolve(text).apply(plain or tiny.recipe())


def trained(text: str, plain: Recipe | None = None, fitted: Trained | None = None) -> Trained:
    """A network after a composition that is finished only after training."""
    recipe = composed(text, plain)
    first = fitted or tiny.fitted(replace(recipe, finish=same))
    return loop.finish(first, recipe, reference=tiny.no_reference)


class Attention(nn.Module):
    """One encoder layer, whose attention reads its projection's weight without calling it; inputs [B, 5, 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(x).mean(1))


class HeadFirst(nn.Module):
    """The output layer is registered first and called last; inputs [B, 6], outputs [B, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.body, self.middle = nn.Linear(8, 3), nn.Linear(6, 16), nn.Linear(16, 8)

    def forward(self, x: Any) -> Any:
        return self.head(torch.relu(self.middle(torch.relu(self.body(x)))))


class Volumes(nn.Module):
    """Three-dimensional convolutions; inputs [B, 1, 4, 4, 4], outputs [B, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv3d(1, 8, 3), nn.Conv3d(8, 4, 1), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))).mean((2, 3, 4)))


class Words(nn.Module):
    """A table of words and a Linear; inputs [B, 4] of whole numbers, outputs [B, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.hidden, self.head = nn.Embedding(TOKENS, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, tokens: Any) -> Any:
        return self.head(torch.relu(self.hidden(self.table(tokens).mean(1))))


class OneReLU(nn.Module):
    """One ReLU module that is called twice; inputs [B, 2, 6, 6], outputs [B, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(2, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(8, 3)
        self.relu = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.head(self.relu(self.second(self.relu(self.first(x)))).mean((2, 3)))


class Pair(nn.Module):
    """A dictionary of two inputs [B, 6] and [B, 3]; outputs [B, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = nn.Linear(6, 16), nn.Linear(16, 3)

    def forward(self, x: Any) -> Any:
        return self.head(torch.relu(self.hidden(x["a"]))) + x["b"]


def attention() -> Recipe:
    return recipe_of(Attention, torch.randn(16, 5, 8))


def head_first() -> Recipe:
    return recipe_of(HeadFirst, torch.randn(16, 6))


def volumes() -> Recipe:
    return recipe_of(Volumes, torch.randn(16, 1, 4, 4, 4))


def words() -> Recipe:
    return recipe_of(Words, torch.arange(64).reshape(16, 4) % TOKENS)


def one_relu() -> Recipe:
    return recipe_of(OneReLU, torch.randn(16, 2, 6, 6))


def pair() -> Recipe:
    return recipe_of(Pair, {"a": torch.randn(16, 6), "b": torch.randn(16, 3)})
