"""A byte-level language model on the sources of Python's standard library: real text, on every machine, offline.

Network: a decoder in the manner of GPT-2 (Radford et al. 2019, https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
with normalisation before each part, learned positions and an output layer that shares the embedding's weights. Half of
a byte's channels come from the byte before it (a token shift, as in RWKV: Peng et al. 2023,
https://arxiv.org/abs/2305.13048): pairs need not be found by attention first. After 900 steps it stands at 2.25 to 2.26
bits a byte of the test windows (three seeds); bytes by their frequencies need 4.52, after the two bytes before them
2.65, and bz2 needs 2.32 (Python 3.11.7).
Shapes: B windows of T = 128 bytes, D channels, V = 256 values of a byte.
"""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from suite.catalog.scores import language
from suite.catalog.workloads.stdlib_text import WINDOW, as_split, digest_of, drawn, sources
from suite.registry import workload
from suite.training.recipe import Batch, Recipe, Split, Splits, Trainee

VALUES = 256
HEAD = 16  # channels of an attention head
HEADS = 4
DEPTH = 1
DEVIATION = 0.02  # of first positions and of what a block adds at first, as in GPT-2
SPREAD = 0.1  # of first embeddings: 0.02 leaves the shared output layer too flat to begin with
WINDOWS = {"train": 16_384, "validation": 512, "test": 1024}
BATCH = 16
STEPS = 90  # of an epoch, which is a tenth of the training: fine-tuning for some epochs is no second training
WARM_UP = 0.1  # share of all steps
LARGEST_NORM = 1.0  # of a step's gradients


class Block(nn.Module):
    """Attention and a perceptron four times as wide, each added to what it reads. Inputs [B, T, D].

    ``causal``: a byte attends to itself and those before it, not to all.
    """

    def __init__(self, heads: int, *, causal: bool) -> None:
        super().__init__()
        channels = heads * HEAD
        self.heads, self.causal = heads, causal
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Channels [B, T, D]."""
        x = x + self.out(self.attention(self.norm1(x)))
        return x + self.down(F.gelu(self.up(self.norm2(x))))  # type: ignore[no-any-return]

    def attention(self, x: Tensor) -> Tensor:
        """What every byte's heads gather, [B, T, D]."""
        q, k, v = (part.unflatten(2, (self.heads, HEAD)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=2))
        return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).flatten(2)


class ByteDecoder(nn.Module):
    """One block of four heads: 74,688 parameters at width 1. Inputs [B, T], T at most 128.

    ``width`` is a factor on the heads, and so on the channels: 64 at width 1, never fewer than one head's 16. ``depth``
    counts blocks.
    """

    def __init__(self, width: float = 1.0, depth: int = DEPTH) -> None:
        super().__init__()
        heads = max(1, round(width * HEADS))
        self.embedding = nn.Embedding(VALUES, heads * HEAD)
        self.positions = nn.Embedding(WINDOW, heads * HEAD)
        self.blocks = nn.Sequential(*(Block(heads, causal=True) for _ in range(depth)))
        self.norm = nn.LayerNorm(heads * HEAD)
        first_weights(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores [B, T, V] of the byte that follows each byte."""
        x = shifted(self.embedding(tokens)) + self.positions.weight[: tokens.shape[1]]
        return F.linear(self.norm(self.blocks(x)), self.embedding.weight)


def shifted(x: Tensor) -> Tensor:
    """The second half of the channels [B, T, D] moved on by one byte; the first byte has zeros there."""
    now, before = x.chunk(2, dim=2)
    return torch.cat([now, F.pad(before, (0, 0, 1, 0))[:, :-1]], dim=2)


def first_weights(network: ByteDecoder) -> None:
    """Normal weights whose products keep their size, no biases; what a block adds is small at first."""
    nn.init.normal_(network.embedding.weight, std=SPREAD)
    nn.init.normal_(network.positions.weight, std=DEVIATION)
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear):
            adds = name.endswith(("out", "down"))
            nn.init.normal_(layer.weight, std=DEVIATION if adds else 1 / math.sqrt(layer.in_features))
            nn.init.zeros_(layer.bias)


def digest() -> str:
    """Python's name and version, and a digest of the windows' bytes: other versions, and distributions, have others."""
    return f"{sys.implementation.name}-{platform.python_version()}:{digest_of(parts())}"


@workload(scores=language(), quick=False, default=False, batch=16, digest=digest)
def stdlib_lm(_seed: int) -> Recipe:
    """A small transformer on the bytes of Python's standard library: AdamW, warm-up and cosine, clipped gradients."""
    return Recipe(
        data=splits,
        model=ByteDecoder,
        batches=some_batches,
        steps_per_epoch=lambda examples: min(STEPS, examples // BATCH),
        optimizer=clipped_adamw,
        schedule=warm_cosine,
        loss=next_byte,
        learning_rate=8e-3,
        epochs=10,
    )


@lru_cache(maxsize=1)
def parts() -> dict[str, Tensor]:
    """Windows of each part, uint8 [N, T + 1]."""
    return drawn(sources(), WINDOWS)


@lru_cache(maxsize=1)
def splits() -> Splits:
    """16,384 windows to train on, 512 to validate, 1,024 to test: the same for every seed."""
    return Splits(**{part: as_split(rows) for part, rows in parts().items()})


def some_batches(train: Split, generator: torch.Generator) -> Iterator[Batch]:
    """Full batches of windows drawn without replacement, 90 at most: an epoch is no pass through all windows."""
    order = torch.randperm(len(train), generator=generator)[: STEPS * BATCH].to(train.inputs.device)
    for chosen in order.split(BATCH):
        if len(chosen) == BATCH:
            yield Batch(inputs=train.inputs[chosen], targets=train.targets[chosen])


def clipped_adamw(parameters: Iterable[nn.Parameter], learning_rate: float) -> Optimizer:
    """AdamW with the betas and decay of language models; gradients of a norm above 1 are scaled down to it."""
    parameters = list(parameters)
    optimizer = AdamW(parameters, lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.1)
    optimizer.register_step_pre_hook(lambda *_: clip(parameters))
    return optimizer


def clip(parameters: Iterable[nn.Parameter]) -> None:
    """Scale all gradients so that their common norm is at most 1."""
    nn.utils.clip_grad_norm_(parameters, LARGEST_NORM)


def warm_cosine(optimizer: Optimizer, _learning_rate: float, steps: int) -> LRScheduler:
    """Linear warm-up over a tenth of the steps, then a cosine down to zero."""
    return LambdaLR(optimizer, lambda step: share_of_peak(step, steps))


def share_of_peak(step: int, steps: int) -> float:
    """The factor on the peak learning rate at a step, counted from 0."""
    warm = max(1, round(WARM_UP * steps))
    cosine = (1 + math.cos(math.pi * min(1.0, max(0, step - warm) / max(1, steps - warm)))) / 2
    return min(1.0, (step + 1) / warm) * cosine


def next_byte(_trainee: Trainee, batch: Batch, output: Tensor) -> Tensor:
    """Cross-entropy of the byte that follows, in nats, from scores [B, T, V]."""
    return F.cross_entropy(output.flatten(0, 1), batch.targets.flatten())
