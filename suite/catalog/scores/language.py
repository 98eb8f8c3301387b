"""Language models: outputs [N, T, V] are scores of the next token, targets [N, T] the right ones."""

from __future__ import annotations

import math
from typing import Any

from suite.registry.score import Score

IGNORED = -100  # as in torch's cross-entropy: padding is not predicted


def language() -> tuple[Score, ...]:
    """Bits per byte, for models whose tokens are bytes."""
    return (Score(name="bits_per_byte", unit="bit", better="lower", per_item=bits),)


def bits(outputs: Any, targets: Any) -> Any:
    """Bits that the model needs for the targets of each item [N], and how many targets there are [N]."""
    import torch.nn.functional as F  # noqa: N812  # torch's own convention; torch takes seconds to import

    nats = F.cross_entropy(outputs.transpose(1, 2).float(), targets, reduction="none", ignore_index=IGNORED)
    return nats.double().sum(1) / math.log(2), (targets != IGNORED).sum(1)
