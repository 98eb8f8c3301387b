"""Twenty tiny networks in the forms that model hubs and users have them; each trains in well below a second."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite import Recipe, Score, Split, Splits, classification, language, regression
from suite.registry import Registry

N = 96


@cache
def drawn(kind: str) -> Tensor:
    """Inputs [N, ...] of a kind."""
    generator = torch.Generator().manual_seed(0)
    if kind == "tokens":
        return torch.randint(0, 20, (N, 8), generator=generator)
    shape = {"rows": (N, 12), "images": (N, 3, 8, 8), "nodes": (N, 6, 5), "series": (N, 8, 4)}[kind]
    return torch.randn(shape, generator=generator)


def splits(inputs: Any, targets: Any) -> Callable[[], Splits]:
    """64 training, 16 validation and 16 test items."""
    parts = {"train": slice(0, 64), "validation": slice(64, 80), "test": slice(80, N)}

    def cut(tree: Any, part: slice) -> Any:
        if isinstance(tree, dict):
            return {name: cut(value, part) for name, value in tree.items()}
        return tuple(cut(value, part) for value in tree) if isinstance(tree, tuple) else tree[part]

    found = Splits(**{name: Split(inputs=cut(inputs, p), targets=cut(targets, p)) for name, p in parts.items()})
    return lambda: found


def labels(kind: str) -> Tensor:
    """0 or 1 by the sign of an item's mean, or by its first token."""
    values = drawn(kind)
    return (values[:, 0] > 9).long() if kind == "tokens" else (values.flatten(1).mean(1) > 0).long()


@dataclass
class ModelOutput:
    """As transformers answer."""

    logits: Tensor
    hidden: Tensor | None = None
    loss: Tensor | None = None


class Keywords(nn.Module):
    def __init__(self, *, wraps: bool = False) -> None:
        super().__init__()
        self.table, self.head, self.wraps = nn.Embedding(20, 16), nn.Linear(16, 2), wraps

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = (self.table(input_ids) * mask[..., None]).mean(1)
        return ModelOutput(logits=self.head(hidden)) if self.wraps else self.head(hidden)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.mix, self.head = nn.Embedding(20, 16), nn.Linear(16, 16), nn.Linear(16, 20, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(torch.relu(self.mix(self.table(tokens))))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(20, 16), nn.Linear(16, 2)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.layer(self.table(tokens)).mean(1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.up, self.out = nn.ConvTranspose2d(8, 8, 2, stride=2), nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.down(x))
        return self.out(torch.cat([first, self.up(torch.relu(self.middle(first)))], 1))


class Graph(nn.Module):
    """Nodes [B, 6, 5], a normalised adjacency [B, 6, 6], a mask of nodes that are no padding [B, 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(5, 16), nn.Linear(16, 2)

    def forward(self, nodes: Tensor, adjacency: Tensor, mask: Tensor) -> Tensor:
        hidden = torch.relu(self.first(adjacency @ nodes)) * mask[..., None]
        return self.head(hidden.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


class Adversaries(nn.Module):
    """A generator and a critic in one module, with a loss for each."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.critic = nn.Linear(12, 12), nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        made = self.generator(x)
        return {"made": made, "of_made": self.critic(made), "of_real": self.critic(x)}


class Spectrum(nn.Module):
    """Complex weights between a real input and real scores."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, dtype=torch.cfloat) / 4)
        self.head = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.fft.irfft(torch.fft.rfft(x) * self.weight, n=12))


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        score = x.mean(1)
        return torch.stack([-score, score], 1)


def rows(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*(layers or (nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))))


def old_norm(layer: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(layer)


def frozen_body() -> nn.Module:
    network = rows()
    network[0].requires_grad_(requires_grad=False)
    return network


def loaded(dtype: torch.dtype) -> Callable[[], nn.Module]:
    """A checkpoint in a type."""

    def build() -> nn.Module:
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)).to(dtype)

    return build


def adversarial_loss(_trainee: Any, _batch: Any, output: dict[str, Tensor]) -> Tensor:
    return F.softplus(-output["of_real"]).mean() + F.softplus(output["of_made"]).mean() + output["made"].square().mean()


def next_token(_trainee: Any, batch: Any, output: Tensor) -> Tensor:
    return F.cross_entropy(output.transpose(1, 2), batch.targets)


def of_logits(_trainee: Any, batch: Any, output: Any) -> Tensor:
    return F.cross_entropy(output.logits, batch.targets)


def closeness(outputs: dict[str, Tensor], _targets: Any) -> Tensor:
    return outputs["made"].square().mean(1)


MADE = Score(name="made_energy", better="lower", per_item=closeness)
GRAPHS = (drawn("nodes"), torch.full((N, 6, 6), 1 / 6), torch.ones(N, 6))
TOKENS = {"input_ids": drawn("tokens"), "attention_mask": torch.ones_like(drawn("tokens"))}


def networks() -> dict[str, dict[str, Any]]:
    """The workloads by name: what `Recipe` takes, and ``scores`` and ``source`` where they are not the usual."""
    rows_, images = splits(drawn("rows"), labels("rows")), splits(drawn("images"), labels("images"))
    tokens = splits(drawn("tokens"), labels("tokens"))
    norm = nn.utils.parametrizations.weight_norm
    return {
        "keywords": {"data": splits(TOKENS, labels("tokens")), "model": Keywords},
        "model_output": {"data": tokens, "model": lambda: Keywords(wraps=True), "loss": of_logits},
        "tied_weights": {
            "data": splits(drawn("tokens")[:, :-1], drawn("tokens")[:, 1:]), "model": Tied, "loss": next_token,
            "scores": language(),
        },
        "weight_norm": {"data": rows_, "model": lambda: rows(norm(nn.Linear(12, 32)), nn.ReLU(), nn.Linear(32, 2))},
        "old_weight_norm": {
            "data": rows_, "model": lambda: rows(old_norm(nn.Linear(12, 32)), nn.ReLU(), nn.Linear(32, 2)),
        },
        "lazy_layers": {"data": rows_, "model": lambda: rows(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(2))},
        "one_logit": {"data": rows_, "model": lambda: rows(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))},
        "norm_of_one": {
            "data": lambda: Splits(
                train=Split(inputs=drawn("rows")[:65], targets=labels("rows")[:65]), test=rows_().test
            ),
            "model": lambda: rows(nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2)),
        },
        "lstm": {"data": splits(drawn("series"), labels("series")), "model": Recurrent},
        "attention": {"data": tokens, "model": Attention},
        "u_net": {
            "data": splits(drawn("images"), drawn("images").mean(1, keepdim=True)), "model": UNet,
            "scores": regression(),
        },
        "graph": {"data": splits(GRAPHS, labels("nodes")), "model": Graph},
        "autoencoder": {
            "data": splits(drawn("rows"), drawn("rows")), "scores": regression(),
            "model": lambda: rows(nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 12)),
        },
        "two_losses": {
            "data": rows_, "model": Adversaries, "loss": adversarial_loss, "scores": (MADE,),
        },
        "bfloat16": {
            "data": splits(drawn("rows").bfloat16(), labels("rows")), "model": loaded(torch.bfloat16),
            "source": "checkpoint",
        },
        "float64": {"data": splits(drawn("rows").double(), labels("rows")), "model": lambda: rows().double()},
        "complex": {"data": rows_, "model": Spectrum},
        "parameter_free": {"data": rows_, "model": Mean, "source": "checkpoint"},
        "frozen_body": {"data": rows_, "model": frozen_body},
        "convolutions": {
            "data": images,
            "model": lambda: nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
            ),
        },
    }  # fmt: skip


def declare(registry: Registry, name: str) -> None:
    """Register the workload ``name`` of `networks`."""
    slots = networks()[name]
    scores, source = slots.pop("scores", classification()), slots.pop("source", "train")

    def recipe(_seed: int) -> Recipe:
        """One of twenty networks."""
        return Recipe(epochs=1, **slots)

    recipe.__name__ = name
    registry.workload(scores=scores, source=source, batch=8)(recipe)
