"""Whether an artefact can hold what the served network computes with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # what batch and instance norms have in common
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves  # no public name holds it

from suite.core.errors import ImplausibleError
from suite.measure.held import held_arrays
from suite.training.runtime import Artifact
from suite.training.serving import Served
from suite.training.trees import leaves

LEAST = 0.25  # of the entropy of the values that are held: codes with a scale for each group stay above
SAMPLE = 2**18  # values whose entropy is counted
SLACK = 64  # bytes
ITEMS = 4
MOVED = 0.5  # of the parameters that a technique takes away: so many new numbers in buffers are the same weights
STATISTICS = ("running_mean", "running_var")
GROWN = 65_536  # bytes that a format may add: names, records, a graph


class Held(TorchDispatchMode):
    """Collects the tensors that operations read and that neither an operation made nor the inputs are."""

    def __init__(self, inputs: Any) -> None:
        super().__init__()
        self._made: dict[int, Any] = {_address(leaf): leaf for leaf in leaves(inputs)}  # kept: memory is not reused
        self.found: dict[int, Tensor] = {}

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for leaf in _tensors((args, kwargs or {})):
            if _address(leaf) not in self._made:
                self.found.setdefault(_address(leaf), leaf)
        outputs = function(*args, **(kwargs or {}))
        for leaf in _tensors(outputs):
            if _address(leaf) not in self.found:
                self._made.setdefault(_address(leaf), leaf)
        return outputs


def held(served: Served) -> list[Tensor]:
    """What one answer of an eager network is computed with: weights and constants, wherever they are kept."""
    inputs = served.prepare_inputs(served.recipe.data().test.first(1).inputs)
    with Held(inputs) as watching:
        served(inputs)
    return list(watching.found.values())


def check_artefact(artefact: bytes, served: Served, technique: str) -> None:
    """Raise `ImplausibleError` for an artefact that cannot hold the values that the served network computes with.

    Seen are the tensors that torch reads and the NumPy arrays that hang on what is served, whatever the runtime says
    of itself. If another engine computes with something else, `check_files` looks whether it uses its files.
    """
    arrays = [torch.from_numpy(one) for one in held_arrays(served.network, served.call) if one.dtype.kind in "biufc"]
    least = LEAST * sum(entropy_bytes(tensor) for tensor in [*held(served), *arrays]) - SLACK
    if len(artefact) < least:
        own = "its runtime must return them all" if not served.artifact.exact else (
            "keep them as parameters or buffers, or give the recipe a runtime that writes them (coded)"
        )  # fmt: skip
        raise ImplausibleError(
            f"the artefact of {technique} has {len(artefact)} bytes, and the network that it serves computes with "
            f"tensors whose values take at least {int(least)} bytes in any code; {own}"
        )


def check_files(served: Served, technique: str) -> None:
    """Raise `ImplausibleError` for an engine that answers the same whatever its files hold: they are not what runs.

    It is given files of zeros; most engines refuse them.
    """
    inputs = served.prepare_inputs(served.recipe.data().test.first(ITEMS).inputs)
    empty = {name: bytes(len(content)) for name, content in served.artifact.files.items()}
    try:
        other = served.recipe.runtime.load(Artifact(write=lambda: empty), served.device)
        answers = leaves(other.call(inputs))
    except Exception:  # noqa: BLE001  # whatever an engine says of broken files
        return
    ours = leaves(served(inputs))
    if len(answers) == len(ours) and all(torch.equal(a, b) for a, b in zip(answers, ours, strict=True)):
        raise ImplausibleError(
            f"the runtime of {technique} gives the same answers when its files hold zeros: what ships is not what it "
            "computes with; load everything from the artifact"
        )


def check_parameters(network: nn.Module, base: nn.Module, technique: str) -> None:
    """Raise `ImplausibleError` for weights that are buffers now: counts of parameters leave buffers out."""
    lost = _numbers(base.parameters()) - _numbers(network.parameters())
    more = _numbers(_kept(network)) - _numbers(_kept(base))
    if lost > 0 and more > MOVED * lost:
        raise ImplausibleError(
            f"{technique} has turned {min(lost, more)} parameters into buffers, which are not counted; keep what a "
            "network computes with as torch.nn.Parameter"
        )


def _kept(network: nn.Module) -> Iterator[Tensor]:
    """Buffers but for the statistics of norms, of which there are two for each channel that is normalised."""
    for module in network.modules():
        channels = module.num_features if isinstance(module, _NormBase) else None
        for name, buffer in module.named_buffers(recurse=False):
            if name not in STATISTICS or buffer.numel() != channels:
                yield buffer


def _numbers(tensors: Iterable[Tensor]) -> int:
    return sum(one.numel() for one in tensors if one.is_floating_point() or one.is_complex())


def check_growth(artefact: bytes, plain: int, technique: str) -> None:
    """Raise `ImplausibleError` for coded weights that take more bytes than the baseline's ``plain`` ones."""
    if len(artefact) > plain + GROWN:
        raise ImplausibleError(
            f"the artefact of {technique} has {len(artefact)} bytes, the baseline's {plain}: its runtime codes "
            "weights twice, or not at all"
        )


def entropy_bytes(tensor: Tensor) -> float:
    """Bytes of the tensor's values at the entropy of their frequencies; of a sample, which has no more, for many."""
    flat = tensor.detach().flatten()
    flat = torch.view_as_real(flat).flatten() if flat.is_complex() else flat
    sample = flat[:: -(-flat.numel() // SAMPLE)] if flat.numel() > SAMPLE else flat
    if not sample.numel():
        return 0.0
    counts = sample.cpu().unique(return_counts=True)[1].double()
    shares = counts / counts.sum()
    return float(-(shares * shares.log2()).sum()) * flat.numel() / 8


def _tensors(tree: Any) -> list[Tensor]:
    """Those with memory of their own: sparse tensors are made of others."""
    found = [leaf for leaf in tree_leaves(tree) if type(leaf) in (Tensor, torch.nn.Parameter) and leaf.numel()]
    return [leaf for leaf in found if leaf.layout == torch.strided]


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
