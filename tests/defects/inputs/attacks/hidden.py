"""Techniques whose sizes, memory or speed are not what they say; on the workload of cheats.py."""
from dataclasses import replace
import numpy as np
import torch
from torch import nn
from suite import Recipe, technique
from suite.training.runtime import Artifact, Predictor

def cheat(*slots):
    return technique(slots=slots, runs=False)

def arrays(network):
    return [(l.weight.detach().numpy().T.copy(), l.bias.detach().numpy().copy()) if isinstance(l, nn.Linear) else None for l in network]

def answer(x, kept):
    x = x.numpy()
    for part in kept:
        x = np.maximum(x, 0) if part is None else x @ part[0] + part[1]
    return torch.from_numpy(x)

GLOBAL = {}

class Ghost:
    """Exports one byte; what it loads lies in a global of the module."""
    def export(self, network, example):
        GLOBAL["kept"] = arrays(network)
        return Artifact(write=lambda: {"n": b"x"})
    def load(self, artifact, device):
        kept = GLOBAL["kept"]
        return Predictor(call=lambda x: answer(x, kept), resident_bytes=lambda: 1, precision="fp64")

@cheat("runtime")
def ghost_runtime(recipe: Recipe) -> Recipe:
    """One byte ships."""
    return replace(recipe, runtime=Ghost())

class Arrays(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.kept = arrays(network)
    def forward(self, x):
        return answer(x, self.kept)

@cheat("quantize")
def numpy_weights(recipe: Recipe) -> Recipe:
    """Weights in NumPy: the state that ships is empty."""
    return replace(recipe, quantize=lambda network, _: Arrays(network))

class AsBuffers(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.count = len(network)
        for i, layer in enumerate(network):
            if isinstance(layer, nn.Linear):
                self.register_buffer(f"w{i}", layer.weight.detach().clone() + 1e-7)
                self.register_buffer(f"b{i}", layer.bias.detach().clone())
    def forward(self, x):
        for i in range(self.count):
            x = nn.functional.linear(x, getattr(self, f"w{i}"), getattr(self, f"b{i}")) if hasattr(self, f"w{i}") else torch.relu(x)
        return x

@cheat("finish")
def as_buffers(recipe: Recipe) -> Recipe:
    """No parameter is left to be counted."""
    return replace(recipe, finish=lambda network, tuner: AsBuffers(recipe.finish(network, tuner)))

@cheat("deploy")
def hot_cache(recipe: Recipe) -> Recipe:
    """A cache that admits an input once it was asked for 30 times, as TinyLFU does."""
    def deploy(network):
        seen, kept = {}, {}
        def call(x):
            key = hash(x.numpy().tobytes())
            if key in kept:
                return kept[key]
            seen[key] = seen.get(key, 0) + 1
            out = network(x)
            if seen[key] > 30:
                kept[key] = out
            return out
        return call
    return replace(recipe, deploy=deploy)
