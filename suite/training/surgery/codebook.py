"""Weights that share few values: found by k-means, trained, shipped as a table and a code for each weight that is left.

Deep Compression (Han et al. 2016, https://arxiv.org/abs/1510.00149): a zero takes no code; each weight that is none has
its value's code and its distance from the one before, both in Huffman's code. Shapes: N weights of a tensor, M of them
not zero, K centroids.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from suite.core.errors import OutputError
from suite.training.surgery import huffman, tied
from suite.training.surgery.masks import MATRIX, prunable

NOTHING: Mapping[str, str] = MappingProxyType({})
MOST_ROUNDS = 300  # of k-means; far more than it takes
CODES = 256  # values that a byte tells apart
FAR = 255  # a distance that goes on in the next byte


Codes = dict[nn.Parameter, Tensor]
"""Which value each weight has, in its shape: 0 for zero, then from 1 on."""


@torch.no_grad()
def share(network: nn.Module, clusters: int) -> Codes:
    """Replace every non-zero weight of each matrix and filter by its nearest of ``clusters`` values, in place.

    Zeros stay: what was pruned takes one more value. Values are each tensor's own. A tensor that has no more than
    that many keeps them.
    """
    return {weight: _shared(weight, clusters) for weight in prunable(network)}


def _shared(weight: nn.Parameter, clusters: int) -> Tensor:
    codes = torch.zeros(weight.shape, dtype=torch.long, device=weight.device)
    left = weight[weight != 0]
    table, nearest = left.unique(return_inverse=True)
    if len(table) > clusters:
        found = centroids(left, clusters)
        used, nearest = torch.bucketize(left.double(), (found[1:] + found[:-1]) / 2).unique(return_inverse=True)
        table = found[used].to(weight.dtype)
    codes[weight != 0] = nearest + 1
    weight[codes != 0] = table[nearest]
    return codes


class Shared:
    """A constraint: weights of one code stay one value, which is trained by the sum of its members' gradients.

    Trained quantization (Han et al. 2016, section 3). As all members have one gradient, an optimizer that treats
    weights one by one moves them alike; what rounding parts is brought together again.
    """

    rank = 1

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self.handles: list[RemovableHandle] = []

    def begin(self, network: nn.Module) -> None:
        """Weights that another technique replaced share no more; the others sum their gradients from now on."""
        left = {id(weight): weight.shape for weight in network.parameters()}
        self.codes = {weight: codes for weight, codes in self.codes.items() if left.get(id(weight)) == codes.shape}
        self.end()
        self.handles = [weight.register_hook(partial(summed, codes)) for weight, codes in self.codes.items()]

    def end(self) -> None:
        """Leave gradients as they are again."""
        for handle in self.handles:
            handle.remove()
        self.handles = []

    @torch.no_grad()
    def restore(self, _network: nn.Module) -> None:
        for weight, codes in self.codes.items():
            weight.copy_(summed(codes, weight.double(), mean=True))


def summed(codes: Tensor, values: Tensor, *, mean: bool = False) -> Tensor:
    """Of each of ``values`` the sum, or the ``mean``, over all with its code; 0 for code 0."""
    codes = codes.to(values.device)
    flat = codes.flatten()
    table = values.new_zeros(int(flat.max()) + 1).index_add_(0, flat, values.flatten())
    if mean:
        table = table / flat.bincount(minlength=len(table)).clamp(min=1)
    table[0] = 0
    return table[codes]


def centroids(values: Tensor, count: int) -> Tensor:
    """K-means of numbers [N] from evenly spaced starts, as the paper found best: at most ``count`` in order, float64.

    Lloyd's algorithm: on sorted numbers a cluster is an interval, whose mean follows from cumulated sums.
    """
    ordered = values.double().sort().values
    sums = torch.cat([ordered.new_zeros(1), ordered.cumsum(0)])
    ends = torch.tensor([0, len(ordered)], device=ordered.device)
    found = torch.linspace(0, 1, count, dtype=ordered.dtype, device=ordered.device)
    found = ordered[0] + found * (ordered[-1] - ordered[0])
    for _ in range(MOST_ROUNDS):
        edges = torch.searchsorted(ordered, (found[1:] + found[:-1]) / 2)
        bounds = torch.cat([ends[:1], edges, ends[1:]])
        sizes = bounds.diff()
        means = torch.where(sizes > 0, sums[bounds].diff() / sizes.clamp(min=1), found)
        if torch.equal(means, found):
            break
        found = means
    return found


def coded_bytes(network: nn.Module) -> bytes:
    """The state dictionary, coded and compressed without loss. Raises `OutputError` if it does not decode to itself.

    Raises `UnavailableError` if it is no smaller than the weights.
    """
    whole = network.state_dict()
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in whole.items()}
    single, same = tied.once(whole)
    artefact = encode({name: state[name] for name in single}, same)
    decoded = decode(artefact)
    wrong = [name for name in state if not torch.equal(state[name], decoded[name])]
    if wrong:
        raise OutputError(f"weights do not decode to their coded values (do they contain NaN?): {', '.join(wrong)}")
    tied.check_smaller(artefact, {name: state[name] for name in single})
    return artefact


def encode(state: dict[str, Tensor], same: Mapping[str, str] = NOTHING) -> bytes:
    """Matrices of at most 256 values as a table, codes and distances, all else as it is.

    Codes and distances are Huffman's; LZMA over it all shortens names, tables and what is left as it is.
    ``same`` are further names of tensors: tied weights ship once. -0.0 may become 0.0.
    """
    from safetensors.torch import save

    parts: dict[str, Tensor] = tied.spelt(same)
    for name, tensor in state.items():
        table, codes = tensor.unique(return_inverse=True) if tensor.dim() >= MATRIX else (tensor, tensor)
        if tensor.dim() >= MATRIX and len(table) <= CODES:
            left = tensor.flatten() != 0
            coded, gaps = codes.flatten()[left].to(torch.uint8), steps(left.nonzero().flatten())
            parts[f"table:{name}"] = table
            parts |= _huffman("codes", name, coded) | _huffman("steps", name, gaps)
            parts[f"shape:{name}"] = torch.tensor([len(coded), len(gaps), *tensor.shape])
        else:
            parts[f"plain:{name}"] = tensor.clone()  # the format refuses tensors that share memory
    return lzma.compress(save(parts))


def decode(artefact: bytes) -> dict[str, Tensor]:
    """The state dictionary that `encode` was given."""
    from safetensors.torch import load

    parts = load(lzma.decompress(artefact))
    plain = {name.removeprefix("plain:"): part for name, part in parts.items() if name.startswith("plain:")}
    coded = [name.removeprefix("table:") for name in parts if name.startswith("table:")]
    return tied.read(parts, plain | {name: _decoded(parts, name) for name in coded})


def _decoded(parts: dict[str, Tensor], name: str) -> Tensor:
    table, (codes, gaps, *shape) = parts[f"table:{name}"], parts[f"shape:{name}"].tolist()
    found = torch.zeros(shape, dtype=table.dtype)
    places = positions(_symbols("steps", name, parts, gaps))
    found.view(-1)[places] = table[_symbols("codes", name, parts, codes).long()]
    return found


def _huffman(what: str, name: str, symbols: Tensor) -> dict[str, Tensor]:
    coded = huffman.encode(symbols.numpy())
    return {f"{what}:{name}": torch.from_numpy(coded.bits), f"{what}_bits:{name}": torch.from_numpy(coded.lengths)}


def _symbols(what: str, name: str, parts: Mapping[str, Tensor], count: int) -> Tensor:
    coded = huffman.Coded(parts[f"{what}:{name}"].numpy(), parts[f"{what}_bits:{name}"].numpy())
    return torch.from_numpy(huffman.decode(coded, count))


def steps(places: Tensor) -> Tensor:
    """Places [M] in rising order as distances in bytes [M or more]: 255 means 255 and what the next byte says."""
    distances = places.diff(prepend=places.new_tensor([-1]))
    lengths = distances // FAR + 1
    found = torch.full((int(lengths.sum()),), FAR, dtype=torch.uint8)
    found[lengths.cumsum(0) - 1] = (distances % FAR).to(torch.uint8)
    return found


def positions(found: Tensor) -> Tensor:
    """The places [M] that `steps` was given."""
    return found.long().cumsum(0)[found != FAR] - 1
