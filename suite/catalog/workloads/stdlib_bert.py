"""Which package of Python's standard library 128 bytes are from: an encoder that first learns to fill in masked bytes.

Masked pre-training as in BERT (Devlin et al. 2019, https://arxiv.org/abs/1810.04805): 15 % of the bytes are chosen and
predicted; of these 80 % show the mask, 10 % a random byte and 10 % themselves. Both stages are one run of the one loop:
all epochs but the last eight pre-train, the last eight classify. So whatever fine-tunes for up to eight epochs
classifies, and whatever trains longer, say from rewound weights, pre-trains first. The layer that predicts bytes is
thrown away at the end. Classes are the eight largest packages of at least five files. No file is in two parts: within a
package files are assigned from the largest to the smallest. Each goes to the part that is furthest below its share (70
% train, 10 % validate, 20 % test), so sizes decide and not names. Who always says asyncio, the largest, is right for
20.6 % of the 3,684 test windows, the encoder for 37.1 % (seed 0, Python 3.11.7). Shapes: B windows of T = 128 bytes, D
channels, K = 8 packages, M chosen bytes.
"""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.catalog.scores import classification
from suite.catalog.workloads.stdlib_lm import (
    BATCH,
    HEAD,
    HEADS,
    STEPS,
    VALUES,
    Block,
    clipped_adamw,
    some_batches,
    warm_cosine,
)
from suite.catalog.workloads.stdlib_text import WINDOW, digest_of, sources, windows
from suite.core.errors import SetupError
from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee

PACKAGES = ("asyncio", "email", "http", "importlib", "multiprocessing", "unittest", "urllib", "xml")
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
MASK = VALUES  # the embedding's last row
HIDDEN = 0.15  # share of the bytes that are predicted
MASKED, REPLACED = 0.8, 0.1  # of these
DEPTH = 1
EPOCHS = 16
CLASSIFYING = 8  # epochs at the end


class ByteEncoder(nn.Module):
    """One block of four heads and a classifier of the mean: 75,272 parameters at width 1. Inputs [B, T], T at most 128.

    A quarter of a byte's channels come from the byte before it and a quarter from the one after it. ``width`` is a
    factor on the heads, and so on the channels: 64 at width 1, never fewer than one head's 16.
    """

    def __init__(self, width: float = 1.0, depth: int = DEPTH) -> None:
        super().__init__()
        heads = max(1, round(width * HEADS))
        self.embedding = nn.Embedding(VALUES + 1, heads * HEAD)
        self.positions = nn.Embedding(WINDOW, heads * HEAD)
        self.blocks = nn.Sequential(*(Block(heads, causal=False) for _ in range(depth)))
        self.norm = nn.LayerNorm(heads * HEAD)
        self.classifier = nn.Linear(heads * HEAD, len(PACKAGES))
        nn.init.normal_(self.embedding.weight, std=0.1)
        nn.init.normal_(self.positions.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores [B, K] of the packages."""
        return self.classifier(self.encode(tokens).mean(1))  # type: ignore[no-any-return]

    def encode(self, tokens: Tensor) -> Tensor:
        """What stands for each byte in its surroundings, [B, T, D]."""
        x = neighbours(self.embedding(tokens)) + self.positions.weight[: tokens.shape[1]]
        return self.norm(self.blocks(x))  # type: ignore[no-any-return]


def neighbours(x: Tensor) -> Tensor:
    """Of the channels [B, T, D] the third quarter moved on by one byte and the last moved back; zeros at the ends."""
    first, second, before, after = x.chunk(4, dim=2)
    before, after = F.pad(before, (0, 0, 1, 0))[:, :-1], F.pad(after, (0, 0, 0, 1))[:, 1:]
    return torch.cat([first, second, before, after], dim=2)


def digest() -> str:
    """Python's name and version, and a digest of the windows' bytes: other versions, and distributions, have others."""
    rows = {f"{part} {package}": found for part, of in parts().items() for package, found in of.items()}
    return f"{sys.implementation.name}-{platform.python_version()}:{digest_of(rows)}"


@workload(scores=classification(), quick=False, default=False, batch=16, digest=digest)
def stdlib_bert(_seed: int) -> Recipe:
    """A small encoder on the bytes of Python's standard library: masked pre-training, then which package it is."""
    return Recipe(
        data=splits,
        model=ByteEncoder,
        batches=some_batches,
        steps_per_epoch=lambda examples: min(STEPS, examples // BATCH),
        optimizer=clipped_adamw,
        schedule=warm_cosine,
        loss=masked_then_classified,
        learning_rate=4e-3,
        epochs=EPOCHS,
    )


def masked_then_classified(trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
    """Cross-entropy of hidden bytes, and in the last epochs of a run that of the packages, in nats."""
    if trainee.recipe.epochs - trainee.epoch > CLASSIFYING:
        return hidden_bytes(trainee, batch.inputs)
    return F.cross_entropy(output, batch.targets)


def hidden_bytes(trainee: Trainee, tokens: Tensor) -> Tensor:
    """Cross-entropy of the bytes of [B, T] that were chosen, predicted by a helper of the training."""
    encoder = next(part for part in trainee.network.modules() if isinstance(part, ByteEncoder))
    chosen = torch.rand(tokens.shape, device=tokens.device) < HIDDEN
    chosen[:, 0] |= ~chosen.any()  # the mean over none would be no number
    found = encoder.encode(corrupted(tokens, chosen))[chosen]  # [M, D]
    if "bytes" not in trainee.helpers:
        trainee.helpers["bytes"] = nn.Linear(found.shape[1], VALUES).to(found.device)
    return F.cross_entropy(trainee.helpers["bytes"](found), tokens[chosen])


def corrupted(tokens: Tensor, chosen: Tensor) -> Tensor:
    """``tokens`` [B, T] with 80 % of the ``chosen`` ones masked and 10 % random; the others are as they were."""
    lots = torch.rand(tokens.shape, device=tokens.device)
    masked = tokens.masked_fill(chosen & (lots < MASKED), MASK)
    return torch.where(chosen & (lots >= 1 - REPLACED), torch.randint_like(tokens, VALUES), masked)


@lru_cache(maxsize=1)
def splits() -> Splits:
    """All windows of each part: the same for every seed."""
    return Splits(**{part: labelled(rows) for part, rows in parts().items()})


@lru_cache(maxsize=1)
def parts() -> dict[str, dict[str, Tensor]]:
    """Windows uint8 [N, T] of each part and package.

    Raises `SetupError` where a package lacks the files for one of the parts.
    """
    return parted(sources())


def parted(modules: Mapping[str, Iterable[bytes]]) -> dict[str, dict[str, Tensor]]:
    """Windows uint8 [N, T] of each part and package from the files of each package."""
    found: dict[str, dict[str, Tensor]] = {part: {} for part in SHARES}
    for package in PACKAGES:
        for part, texts in shared_out(modules.get(package, ())).items():
            rows = windows(texts)[:, 1:]
            if len(rows) == 0:
                where = Path(sysconfig.get_path("stdlib"))
                raise SetupError(f"{where} has too few sources of {package} for the {part} part; use a whole Python")
            found[part][package] = rows
    return found


def shared_out(texts: Iterable[bytes]) -> dict[str, list[bytes]]:
    """The files of a package by part: the largest first, each to the part that is furthest below its share."""
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    total = sum(map(len, ordered))
    found: dict[str, list[bytes]] = {part: [] for part in SHARES}
    for text in ordered:
        lacks = {part: share * total - sum(map(len, found[part])) for part, share in SHARES.items()}
        found[max(lacks, key=lacks.__getitem__)].append(text)
    return found


def labelled(rows: Mapping[str, Tensor]) -> Split:
    """Inputs [N, T] and their packages' places [N], in an order that mixes the packages."""
    inputs = torch.cat([rows[package] for package in PACKAGES]).long()
    targets = torch.cat([torch.full((len(rows[package]),), place) for place, package in enumerate(PACKAGES)])
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    return Split(inputs=inputs[order], targets=targets[order])
