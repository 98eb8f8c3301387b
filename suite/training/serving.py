"""From a trained network to what answers requests: quantize, deploy, export, load, call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from suite.core.errors import CompositionError, OutputError, RegistrationError
from suite.core.machine.flags import applied, write
from suite.core.phases import phase
from suite.training.copying import copied
from suite.training.data import test_sealed
from suite.training.devices import place
from suite.training.loop import Trained
from suite.training.recipe import Recipe
from suite.training.runtime import EAGER, Artifact, InTorch, Predictor, Runtime
from suite.training.trees import Tree, cat, fill_up, leaves, length, split, take, tree_map

T = TypeVar("T")
CALIBRATION = 512  # training inputs that quantizers observe
EXAMPLES = 2  # training inputs that a network is exported with: one would be taken for a fixed size


@dataclass(frozen=True, kw_only=True)
class Served:
    """A network as it is served. Calling it takes inputs (a tree [B, ...]) that `prepare_inputs` laid out.

    ``network`` is what was exported; a runtime of another kind than torch's does not compute with it. ``call`` is the
    predictor's. A `Served` that is made without a predictor runs ``network`` in torch.
    """

    recipe: Recipe
    network: nn.Module
    device: str
    call: Callable[[Any], Any]
    predictor: Predictor | None = None
    loaded_from: Artifact | None = None

    @property
    def in_torch(self) -> bool:
        """Whether torch holds everything that a call computes with: weights, inputs and what lies between."""
        return self.predictor is None or self.predictor.in_torch

    @property
    def artifact(self) -> Artifact:
        """What ships: what the predictor was loaded from, or the network's weights as the recipe writes them."""
        if self.loaded_from is not None:
            return self.loaded_from
        runtime = self.recipe.runtime if isinstance(self.recipe.runtime, InTorch) else EAGER
        return runtime.exported(self.network, self.network)

    def tensors(self) -> list[Tensor]:
        """What a call reads beside its inputs, in torch: weights and buffers."""
        return [*self.network.parameters(), *self.network.buffers()] if self.in_torch else []

    def __call__(self, inputs: Tree) -> Any:
        """Outputs (a tree [B, ...]), without gradients.

        ``no_grad`` for all sides alike: TorchInductor cannot prepack int8 convolutions under ``inference_mode``.
        """
        with torch.no_grad():
            return self.call(inputs)

    def settle(self) -> None:
        """Put torch's global settings to what this side is served under."""
        write(self.recipe.flags)

    def prepare_inputs(self, inputs: Tree) -> Tree:
        """``inputs`` [B, ...] on the device, contiguous or channels_last as the recipe says, strides forced."""
        return place(tree_map(self._copied, inputs), self.recipe.layout)

    def _copied(self, tensor: Tensor) -> Tensor:
        return torch.empty(tensor.shape, dtype=tensor.dtype, device=self.device).copy_(tensor)


def serve(trained: Trained) -> Served:
    """Quantize, deploy, export and load a copy of the trained network. Lazy compilation happens at the first calls."""
    recipe = trained.recipe
    network = copied(trained.network).eval()
    with phase("compiling"), applied(recipe.flags):
        calibration = _calibration(trained)
        with test_sealed("quantizing"):
            network = recipe.quantize(network, calibration)
        with test_sealed("deploying"):
            artifact = _exported(recipe, network, place(take(calibration, slice(EXAMPLES)), recipe.layout))
            predictor = _checked(recipe.runtime.load(artifact, trained.device), Predictor, recipe.runtime, "load")
    return Served(
        recipe=recipe, network=network, device=trained.device, call=predictor.call, predictor=predictor,
        loaded_from=artifact,
    )  # fmt: skip


def _exported(recipe: Recipe, network: nn.Module, example: Tree) -> Artifact:
    """What the runtime writes. One that runs networks in torch takes whatever ``deploy`` made, others a network."""
    deployed = recipe.deploy(network)
    if isinstance(recipe.runtime, InTorch):
        return recipe.runtime.exported(network, deployed)
    if not isinstance(deployed, nn.Module):
        raise CompositionError(
            f"{type(recipe.runtime).__qualname__} exports networks, and the slot deploy made a "
            f"{type(deployed).__name__}; return a torch.nn.Module from it"
        )
    return _checked(recipe.runtime.export(deployed, example), Artifact, recipe.runtime, "export")


def _checked(returned: object, kind: type[T], runtime: Runtime, method: str) -> T:
    """What a runtime's method returned. Raises `RegistrationError` for another kind."""
    if not isinstance(returned, kind):
        raise RegistrationError(
            f"{type(runtime).__qualname__}.{method} must return a suite.training.runtime.{kind.__name__}, it returned "
            f"{returned!r}"
        )
    return returned


def plainly(trained: Trained) -> Served:
    """The trained network itself, eager, under torch's own settings: what the served one is to agree with."""
    recipe = replace(trained.recipe, flags={}, runtime=EAGER)
    return Served(recipe=recipe, network=trained.network, device=trained.device, call=trained.network)


def calibration_inputs(recipe: Recipe) -> Tree:
    """Training inputs [<= CALIBRATION, ...] that a quantizer may look at."""
    return recipe.data().train.first(CALIBRATION).inputs


def _calibration(trained: Trained) -> Tree:
    return tree_map(lambda leaf: leaf.to(trained.device).contiguous(), calibration_inputs(trained.recipe))


def warm_up(served: Served, inputs: Tree) -> None:
    """Compile for the shape of ``inputs``; three calls, since compilers specialise on the second."""
    with phase("compiling"), applied(served.recipe.flags), test_sealed("serving"):
        for _ in range(3):
            served(inputs)


def predictions(served: Served, inputs: Tree, *, batch: int) -> Iterator[tuple[slice, Tree]]:
    """Outputs on the CPU, batch by batch, with the items that they belong to; always in batches of exactly ``batch``.

    The last batch is filled up with repeated items: a new shape would make a compiler start again. Raises
    `OutputError` for outputs that are not finite.
    """
    with applied(served.recipe.flags):
        for number, chunk in enumerate(split(inputs, batch)):
            count = length(chunk)
            with phase("testing"), test_sealed("serving"):
                outputs = tree_map(on_cpu, served(served.prepare_inputs(fill_up(chunk, batch))))
            outputs = take(outputs, slice(count))
            _check_finite(outputs, number * batch)
            yield slice(number * batch, number * batch + count), outputs


def predict(served: Served, inputs: Tree, *, batch: int) -> Tree:
    """All outputs (a tree [N, ...]) on the CPU."""
    return cat([outputs for _, outputs in predictions(served, inputs, batch=batch)])


def on_cpu(tensor: Tensor) -> Tensor:
    """As scores see outputs: on the CPU, whatever float they were computed in as float32."""
    return tensor.float().cpu() if tensor.is_floating_point() else tensor.cpu()


def _check_finite(outputs: Tree, first: int) -> None:
    for leaf in leaves(outputs):
        wrong = ~torch.isfinite(leaf).flatten(1).all(1) if leaf.dim() > 1 else ~torch.isfinite(leaf)
        if leaf.is_floating_point() and bool(wrong.any()):
            item = int(wrong.nonzero()[0])
            strange = leaf[item].flatten()
            value = float(strange[~torch.isfinite(strange)][0])
            raise OutputError(
                f"the served network's output for test item {first + item} holds {value}; outputs must be finite "
                f"({int(wrong.sum())} of {len(wrong)} items of this batch are not)"
            )
