"""Weights on a grid: a few evenly spaced values for each group of weights, shipped as packed codes and scales.

A group's values are ``scale * code``; codes are whole numbers in [-M, M], M = 2^(bits - 1) - 1, so zero is exact
(Jacob et al. 2018, https://arxiv.org/abs/1712.05877, symmetric as their section 3 has it for weights). Scales are
bfloat16: a product with a code is then exact in float32, and the grid can be read back from the weights alone. Shapes:
G groups of L weights, the last group of a row filled up with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.core.errors import OutputError
from suite.training.surgery import tied
from suite.training.surgery.masks import prunable

NOTHING: Mapping[str, str] = MappingProxyType({})
ROW = 0  # a group is all that one output reads
TENSOR = -1  # a group is the whole tensor
SCALE_DIGITS = 8  # bfloat16's
BITS = (8, 4, 2)  # which fill a byte without rest
CLIPS = 32  # scales that a fit tries
LEAST_CLIP = 0.2


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How finely: ``bits`` of a code, and how many neighbouring weights of a row share a scale (or ROW, or TENSOR).

    ``digits`` are the significant bits of a scale: so few that the weights' own type holds its product with any code.
    """

    bits: int
    group: int = ROW
    digits: int = SCALE_DIGITS

    @property
    def most(self) -> int:
        """The largest code."""
        return 2 ** (self.bits - 1) - 1  # type: ignore[no-any-return]

    def of(self, dtype: torch.dtype) -> Grid:
        """This grid for weights of a type: bfloat16 holds 8 bits, float16 11; a code takes all but one of its own."""
        held = 1 - round(math.log2(torch.finfo(dtype).eps))
        return replace(self, digits=max(1, min(SCALE_DIGITS, held - (self.bits - 1))))

    def grouped(self, weight: Tensor) -> Tensor:
        """``weight`` [out, ...] as groups [G, L], float64."""
        if self.group == TENSOR:
            return weight.detach().double().reshape(1, -1)
        rows = weight.detach().double().flatten(1)
        size = self.group or rows.shape[1]
        return F.pad(rows, (0, -rows.shape[1] % size)).reshape(-1, size)

    def ungrouped(self, groups: Tensor, shape: torch.Size) -> Tensor:
        """The inverse of `grouped`, in the groups' own data type."""
        rows = groups.reshape(1, -1) if self.group == TENSOR else groups.reshape(shape[0], -1)
        return rows[:, : shape.numel() // len(rows)].reshape(shape)


def fit(groups: Tensor, grid: Grid) -> Tensor:
    """The scale [G, 1] of each group [G, L] with the least squared error among `CLIPS` shares of its largest weight."""
    largest = groups.abs().amax(1, keepdim=True)
    best, least = _short(largest / grid.most, grid), torch.full_like(largest, torch.inf)
    for share in torch.linspace(1, LEAST_CLIP, CLIPS).tolist():
        scale = _short(largest * share / grid.most, grid)
        error = (groups - scale * codes(groups, scale, grid)).square().sum(1, keepdim=True)
        best, least = torch.where(error < least, scale, best), torch.minimum(error, least)
    return best


def refit(groups: Tensor, scale: Tensor, grid: Grid) -> Tensor:
    """The scale that is best for the codes which ``scale`` [G, 1] gives: one step of alternating least squares."""
    found = codes(groups, scale, grid)
    norm = found.square().sum(1, keepdim=True)
    return torch.where(norm > 0, _short((groups * found).sum(1, keepdim=True) / norm.clamp(min=1), grid), scale)


def codes(groups: Tensor, scale: Tensor, grid: Grid) -> Tensor:
    """The nearest code of each weight [G, L], as floating-point whole numbers; 0 where the scale is 0."""
    steps = groups / torch.where(scale > 0, scale, 1)
    return torch.where(scale > 0, steps.round().clamp(-grid.most, grid.most), 0)


def _short(scale: Tensor, grid: Grid) -> Tensor:
    short = scale.bfloat16().double()
    if grid.digits >= SCALE_DIGITS:
        return short
    share, exponent = torch.frexp(short)
    steps = 2.0**grid.digits
    return torch.ldexp((share * steps).round() / steps, exponent)


def read(weight: Tensor, grid: Grid) -> tuple[Tensor, Tensor] | None:
    """Codes [G, L] and scales [G, 1] of a weight that lies on a grid exactly, else ``None``.

    A group's largest weight is some code's value: each code is tried for it.
    """
    grid = grid.of(weight.dtype)
    groups = grid.grouped(weight)
    largest = groups.abs().amax(1, keepdim=True)
    scale, missing = torch.zeros_like(largest), largest > 0
    for code in range(grid.most, 0, -1):
        if not bool(missing.any()):
            break
        tried = largest / code
        fits = (_short(tried, grid) == tried) & (groups == tried * codes(groups, tried, grid)).all(1, keepdim=True)
        scale, missing = torch.where(missing & fits, tried, scale), missing & ~fits
    return None if bool(missing.any()) else (codes(groups, scale, grid), scale)


@torch.no_grad()
def settle(network: nn.Module, grid: Grid) -> None:
    """Round every matrix and filter to the grid's nearest values, in place; what lies on one stays as it is."""
    for weight in prunable(network):
        if read(weight, grid) is None:
            fine = grid.of(weight.dtype)
            groups = fine.grouped(weight)
            scale = fit(groups, fine)
            weight.copy_(fine.ungrouped(scale * codes(groups, scale, fine), weight.shape))


def pack(numbers: Tensor, bits: int) -> Tensor:
    """Whole numbers [N] in [0, 2^bits) as bytes, ``8 // bits`` in each, the first in the lowest bits."""
    each = 8 // bits
    rows = F.pad(numbers.long(), (0, -len(numbers) % each)).reshape(-1, each)
    return (rows << _shifts(bits)).sum(1).to(torch.uint8)


def unpack(packed: Tensor, bits: int, count: int) -> Tensor:
    """The first ``count`` numbers that `pack` was given."""
    numbers: Tensor = (packed.long()[:, None] >> _shifts(bits)) & (2**bits - 1)
    return numbers.flatten()[:count]


def _shifts(bits: int) -> Tensor:
    return bits * torch.arange(8 // bits)


def coded_bytes(network: nn.Module, grid: Grid) -> bytes:
    """The state dictionary with its matrices and filters as packed codes and bfloat16 scales, all else as it is.

    Raises `OutputError` if it does not decode to itself, to the last bit, and `UnavailableError` if it is no smaller.
    """
    whole = network.state_dict()
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in whole.items()}
    on_grid = {id(weight) for weight in prunable(network)}
    coded = {name for name, weight in network.named_parameters(remove_duplicate=False) if id(weight) in on_grid}
    single, same = tied.once(whole)
    artefact = encode({name: state[name] for name in single}, coded, grid, same)
    decoded = decode(artefact)
    wrong = [name for name in state if not torch.equal(state[name], decoded[name])]
    if wrong:
        raise OutputError(f"weights do not decode to their coded values (do they contain NaN?): {', '.join(wrong)}")
    tied.check_smaller(artefact, {name: state[name] for name in single})
    return artefact


def encode(state: dict[str, Tensor], coded: set[str], grid: Grid, same: Mapping[str, str] = NOTHING) -> bytes:
    """``state`` in the safetensors format, those of ``coded`` on the grid as codes. -0.0 may become 0.0.

    ``same`` are further names, each of a tensor of ``state``: tied weights ship once.
    """
    from safetensors.torch import save

    parts: dict[str, Tensor] = tied.spelt(same)
    for name, tensor in state.items():
        found = read(tensor, grid) if name in coded else None
        if found is None:
            parts[f"plain:{name}"] = tensor.clone()  # the format refuses tensors that share memory
        else:
            numbers, scales = found
            parts[f"codes:{name}"] = pack(numbers.flatten() + grid.most, grid.bits)
            parts[f"scales:{name}"] = scales.flatten().bfloat16()
            parts[f"shape:{name}"] = torch.tensor([grid.bits, grid.group, *tensor.shape], dtype=torch.int32)
            if tensor.dtype is not torch.float32:
                parts[f"type:{name}"] = tensor.new_empty(0)
    return save(parts)


def decode(artefact: bytes) -> dict[str, Tensor]:
    """The state dictionary that `encode` was given, with every name; weights in the type that they had."""
    from safetensors.torch import load

    parts = load(artefact)
    plain = {name.removeprefix("plain:"): part for name, part in parts.items() if name.startswith("plain:")}
    return tied.read(parts, plain | dict(_decoded(parts)))


def _decoded(parts: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name in (key.removeprefix("codes:") for key in parts if key.startswith("codes:")):
        bits, group, *shape = parts[f"shape:{name}"].tolist()
        grid, scales = Grid(bits=bits, group=group), parts[f"scales:{name}"].double()[:, None]
        size = torch.Size(shape)
        row = size.numel() if group == TENSOR else group or size.numel() // size[0]
        numbers = unpack(parts[f"codes:{name}"], bits, len(scales) * row) - grid.most
        kind = parts[f"type:{name}"].dtype if f"type:{name}" in parts else torch.float32
        yield name, grid.ungrouped(scales * numbers.reshape(len(scales), row), size).to(kind)
