"""What turns a trained network into files, and files into what answers requests: the slot ``runtime`` of a recipe.

A runtime has two methods. ``export`` writes the network once, with an example input [2, ...]; ``load`` makes a
`Predictor` of what was written. `InTorch` is the plain one: torch runs the network itself, and what ships are its
weights. It has two parts that techniques replace one by one: how the network is run (`running`), and how its weights
are written (`coded`). An engine of another kind is a class of its own, in the file of the technique that brings it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from suite.core.errors import CompositionError, UsageError

if TYPE_CHECKING:
    from torch import nn

    from suite.training.executed import Executed
    from suite.training.trees import Tree

__all__ = ["EAGER", "Artifact", "InTorch", "Predictor", "Runtime", "coded", "in_torch", "running"]

WEIGHTS = "network.safetensors"
CODED = "network.bin"
Call = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Artifact:
    """What ships: ``write()`` gives the bytes of each file by its name; it is called once, when somebody asks.

    ``network`` is what torch runs, for a runtime that loads no file but runs the network in this process; ``None`` if
    the files are all that is needed. ``exact`` says that the length is the same on every machine.
    """

    write: Callable[[], Mapping[str, bytes]]
    network: Call | None = None
    exact: bool = False

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """The bytes of each file, in the order of their names. Raises `UsageError` for no file, or other contents."""
        found = self.write()
        if not isinstance(found, Mapping) or not found or not all(isinstance(one, bytes) for one in found.values()):
            raise UsageError(f"a runtime must export the bytes of at least one file by its name, it exported {found!r}")
        return MappingProxyType(dict(sorted(found.items())))

    @cached_property
    def content(self) -> bytes:
        """The bytes of all files, one after the other."""
        files = list(self.files.values())
        return files[0] if len(files) == 1 else b"".join(files)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the names and the bytes of all files, as 64 hexadecimal digits."""
        found = hashlib.sha256()
        for name, content in self.files.items():
            for part in (name.encode(), content):
                found.update(len(part).to_bytes(8, "little") + part)
        return found.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """What answers requests: ``call`` takes inputs (a tree of tensors [B, ...]) and returns a tree of tensors [B, ...].

    ``resident_bytes()`` says how many bytes stay held between calls; ``None`` if the runtime cannot tell.
    ``precision`` is what the kernels really compute in, such as ``fp32``; ``None`` if the runtime cannot tell.
    ``executed`` says more of an engine's kernels (`suite.training.executed`): the suite measures it as a metric.
    ``in_torch`` says that torch holds everything that a call computes with: the suite then counts tensors, measures
    the peak with torch's allocator and moves weights and inputs in memory between timings. For any other predictor it
    asks ``resident_bytes``, measures no peak and moves nothing.
    """

    call: Call
    resident_bytes: Callable[[], int | None] = field(default=lambda: None)
    precision: str | None = None
    in_torch: bool = False
    executed: Executed | None = None


class Runtime(Protocol):
    """Writes networks and loads what was written. Both methods may raise `UnavailableError` with the reason."""

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """Write ``network``. ``example`` is a tree of two training inputs [2, ...] on the network's device."""

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """A predictor on ``device`` (``cpu``, ``cuda:0``) that answers from the files of ``artifact``."""


def _as_it_is(network: Call, _device: str) -> Call:
    return network


@dataclass(frozen=True, kw_only=True)
class InTorch:
    """Torch runs the network in this process.

    ``run`` gives what is called, from the network and the device: the network itself, or its compiled form. ``encode``
    gives the bytes of the weights; without it they are the state dictionary in the safetensors format, whose length
    depends on names and shapes alone.
    """

    run: Callable[[Any, str], Call] = _as_it_is
    encode: Callable[[nn.Module], bytes] | None = None

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """The weights of ``network``, written when somebody asks for them; no example is needed."""
        del example
        return self.exported(network, network)

    def exported(self, network: nn.Module, called: Call) -> Artifact:
        """The weights of ``network`` with another form of it that is ``called``, as the slot ``deploy`` makes it."""
        return Artifact(write=partial(self._written, network), network=called, exact=self.encode is None)

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """What runs the network. Raises `UsageError` for an artefact of another runtime: it holds no network."""
        if artifact.network is None:
            raise UsageError("torch runs a network of this process, and this artefact holds files alone")
        call = self.run(artifact.network, device)
        return Predictor(call=call, precision=_precision(artifact.network), in_torch=True)

    def _written(self, network: nn.Module) -> Mapping[str, bytes]:
        if self.encode is not None:
            return {CODED: self.encode(network)}
        from safetensors.torch import save

        return {WEIGHTS: save(_unshared(network))}


EAGER = InTorch()
"""Torch runs the network as it is, and the state dictionary ships."""


def running(runtime: Runtime, run: Callable[[Any, str], Call]) -> InTorch:
    """``runtime`` with another way to run the network in torch; its weights are written as before.

    Raises `CompositionError` for an engine of another kind.
    """
    return replace(in_torch(runtime), run=run)


def coded(runtime: Runtime, encode: Callable[[nn.Module], bytes]) -> InTorch:
    """``runtime`` with other bytes for the weights of a network that torch runs; it is run as before.

    Raises `CompositionError` for an engine of another kind.
    """
    return replace(in_torch(runtime), encode=encode)


def in_torch(runtime: Runtime) -> InTorch:
    """``runtime`` as one that runs networks in torch. Raises `CompositionError` if it is none."""
    if not isinstance(runtime, InTorch):
        raise CompositionError(
            f"{type(runtime).__qualname__} does not run the network in torch, and a technique after it changes how "
            "torch runs it or writes its weights; name that technique first, or leave it out"
        )
    return runtime


def _precision(network: Any) -> str | None:
    """The type of the floating-point weights; ``None`` if there are several, or none."""
    import torch

    names = {torch.float64: "fp64", torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}
    weights = network.parameters() if isinstance(network, torch.nn.Module) else ()
    found = {weight.dtype for weight in weights if weight.is_floating_point()}
    return names.get(found.pop()) if len(found) == 1 else None


def _unshared(network: nn.Module) -> dict[str, Any]:
    """The state dictionary on the CPU, contiguous, tensors that share memory once (the format refuses aliases)."""
    seen: set[tuple[int, int]] = set()
    tensors = {}
    for name, tensor in network.state_dict().items():
        key = (tensor.data_ptr(), tensor.numel())
        if key not in seen or tensor.numel() == 0:
            seen.add(key)
            tensors[name] = tensor.detach().cpu().contiguous().clone()
    return tensors
