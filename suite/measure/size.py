"""Size: shipped bytes, compressed bytes, and operations.

Entropy coding is LZMA at its default preset (6) up to `LARGE` bytes of artefact, and at preset 0 above: five to
fifteen times faster and within a few percent, but another figure, so it is a condition of the measurement.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Collection
from dataclasses import replace

import torch
from torch import nn

from suite.core.metrics import measured
from suite.core.records import Cell, Measurement, Tier
from suite.measure.exits import exits
from suite.measure.macs import macs
from suite.training.loop import Trained
from suite.training.serving import Served

LARGE = 8_000_000  # bytes of an artefact from which on the fast preset is used
FAST = 0
CHANCE_MARGIN = 0.001  # of weights that are not zero: FiLM's differ by one in 226,188 between seeds
ROUNDED_MARGIN = 0.05  # weights on a grid that are not zero: 0.15 % between seeds with 8 bits, 1.4 with 4, 2.7 with 2
STRUCTURE_MARGIN = 0.02  # at least, where the network says how much one step is

_coded: dict[str, int] = {}  # bytes after coding, by the artefact's digest: the same weights come back in many cells


def size(
    cell: Cell, trained: Trained, served: Served, *, follow: Collection[str] = (), compiled: bool = False
) -> list[Measurement]:
    """Parameters of the trained network, bytes of the served artefact, multiply-accumulates of one input.

    Of a network that items may leave early also how many do, and the mean of what they take. Of an engine's the share
    of multiply-accumulates that its kernels run in the precision of its name.
    Without the last where they cannot be counted in full. The metrics that ``follow`` trained weights are not exact;
    bytes that a compiler made belong to the family of machines.
    """
    artefact, exact = serialized(served)
    tier: Tier = "exact" if exact else "family" if compiled else "portable"
    coded: Tier = "family" if compiled and not exact else "portable"
    computed = macs(trained)
    plain = [
        measured(cell, "parameters", parameters(trained.network)),
        measured(cell, "nonzero_parameters", nonzero_parameters(trained.network)),
        measured(cell, "artefact_bytes", len(artefact), tier=tier),
        *([] if computed is None else [measured(cell, "macs", computed)]),
    ]
    step = _step(trained.network)
    found = [_following(one, step) if one.metric in follow else _counted(one) for one in plain]
    dense = measured(cell, "entropy_bytes", entropy_bytes(artefact), tier=coded, conditions=coding(artefact))
    coded_size = _following(dense, step) if "artefact_bytes" in follow else dense
    return [*found[:3], coded_size, *found[3:], *exits(cell, trained, computed), *_executed(cell, served)]


def _executed(cell: Cell, served: Served) -> list[Measurement]:
    """What an engine's kernels multiply in, under its name; nothing of torch, which multiplies as it is told."""
    told = served.predictor and served.predictor.executed
    if not told or told.share is None:
        return []
    conditions = {"engine": told.engine}
    return [
        measured(cell, "labelled_share", told.share, note=str(told), fingerprint=dict(told.macs), conditions=conditions)
    ]


def _step(network: nn.Module) -> float:
    """What one step of a structure that follows the weights changes, as a share of all parameters.

    A module says so in ``parameters_per_step``, such as those of one rank; each may be a step off.
    """
    steps = sum(int(getattr(module, "parameters_per_step", 0)) for module in network.modules())
    return steps / max(1, parameters(network))


def _following(one: Measurement, step: float) -> Measurement:
    margin = STRUCTURE_MARGIN if step else ROUNDED_MARGIN
    return replace(one, tier="portable" if one.tier == "exact" else one.tier, margin=max(margin, step) * one.value)


def _counted(one: Measurement) -> Measurement:
    """A weight may be zero by chance, whatever trained it."""
    return replace(one, margin=CHANCE_MARGIN * one.value) if one.metric == "nonzero_parameters" else one


def entropy_bytes(artefact: bytes) -> int:
    """Bytes after lossless coding; the same artefact is coded once in a process."""
    digest = hashlib.sha256(artefact).hexdigest()
    if digest not in _coded:
        _coded[digest] = len(lzma.compress(artefact, preset=FAST if _is_large(artefact) else None))
    return _coded[digest]


def coding(artefact: bytes) -> dict[str, int | str]:
    """The condition under which `entropy_bytes` holds: none for the default preset."""
    return {"coder": f"lzma preset {FAST}"} if _is_large(artefact) else {}


def _is_large(artefact: bytes) -> bool:
    return len(artefact) > LARGE


def parameters(network: nn.Module) -> int:
    """Weights of a network; a tensor that several modules share counts once."""
    return sum(parameter.numel() for parameter in network.parameters())


def nonzero_parameters(network: nn.Module) -> int:
    """Weights that are not exactly zero."""
    return sum(int(torch.count_nonzero(parameter)) for parameter in network.parameters())


def serialized(served: Served) -> tuple[bytes, bool]:
    """The bytes of all files that the runtime exported, and whether their number is the same on every machine.

    It is for the state dictionary in the safetensors format, which depends on names and shapes alone (``torch.save``
    adds records that change with torch's version).
    """
    return served.artifact.content, served.artifact.exact
