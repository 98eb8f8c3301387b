"""One network under one engine, held against eager torch.

Weights are random but fixed by a seed, and the statistics of norms are those of random inputs, so that nothing has to
be downloaded. Such a network answers nearly alike to every input: the largest class is then that of all items, and what
depends on the input may be as small as a rounding. So ``varies`` says how much of an answer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from suite.catalog.zoo.untrained import untrained
from suite.training.onnx_engine import ONNXRuntime
from suite.training.openvino_engine import OpenVINO
from suite.training.runtime import Runtime

ITEMS = 16
WARMING = 3  # batches that the statistics of norms come from
ENGINES: dict[str, Callable[[], Runtime]] = {
    "onnxruntime fp32": ONNXRuntime,
    "openvino fp32": OpenVINO,
    "openvino bf16": lambda: OpenVINO(precision="bf16"),
}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What an engine's answers were worth.

    ``error`` is the relative L2 distance to eager torch, ``agreement`` the share of items with the same largest class,
    and ``varies`` the size of what depends on the input, relative to the whole answer. ``failure`` says why there are
    none.
    """

    network: str
    engine: str
    pixels: int
    error: float | None = None
    agreement: float | None = None
    varies: float | None = None
    failure: str = ""


def prepared(model: str, pixels: int) -> tuple[nn.Module, Tensor]:
    """The network in evaluation mode, and images [`ITEMS`, 3, pixels, pixels]."""
    torch.manual_seed(0)
    network, images = untrained(model, pixels), torch.randn(ITEMS, 3, pixels, pixels)
    network.train()
    with torch.no_grad():
        for _ in range(WARMING):
            network(torch.randn(ITEMS, 3, pixels, pixels))
    return network.eval(), images


def answered(model: str, engine: str, pixels: int, network: nn.Module, images: Tensor) -> Answered:
    """The network served by the engine, against itself in eager torch."""
    with torch.no_grad():
        expected = network(images)
    try:
        runtime = ENGINES[engine]()
        found = runtime.load(runtime.export(network, images[:2]), "cpu").call(images)
    except Exception as error:  # noqa: BLE001  # whatever an engine says of a network is the figure
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return Answered(network=model, engine=engine, pixels=pixels, failure=said)
    return Answered(
        network=model, engine=engine, pixels=pixels, error=relative_error(found, expected),
        agreement=float((found.argmax(1) == expected.argmax(1)).double().mean()),
        varies=relative_error(expected.mean(0, keepdim=True).expand_as(expected), expected),
    )  # fmt: skip


def relative_error(found: Tensor, expected: Tensor) -> float:
    """L2 distance of two answers [B, classes] over the size of the second; infinite for one of zeros."""
    size = float(expected.double().norm())
    return float((found.double() - expected.double()).norm()) / size if size else float("inf")
