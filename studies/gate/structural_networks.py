"""Sources of small networks with a fault planted at a line: another place and another shape in each variant.

A variant is a number from 0 to 9: five places in a perceptron and five in a convolutional network, whose widths and
batches differ. The faults of a kind have two forms, which take turns.
"""

from __future__ import annotations

from dataclasses import dataclass

VARIANTS = 10
PLACES = ("start", "between", "block", "function", "end")
COMPILED = ("graph break", "recompilation", "unfused kernel")
FAULTS = {
    "copy": (("x = torch.empty_like(x).copy_(x)",), ("x = x.clone().copy_(x)",)),
    "graph break": (("torch._dynamo.graph_break()",), ("x = x * (1.0 if x.sum().item() < 1e9 else 2.0)",)),
    "recompilation": (("CALLS.append(0)", "x = x + len(CALLS)"), ("x = x if CALLS.append(0) else x * len(CALLS)",)),
    "unfused kernel": (("x = x - x.amax()",), ("x = x.sigmoid().sort(-1).values.cos()",)),
    "moved": (("# a remark",), ("# a longer", "# remark")),
}
"""Two forms of each kind, in lines; ``moved`` is none, but moves the lines below it."""

HEAD = """
import torch
from torch import nn

CALLS = []


def squashed(x):
    x = torch.tanh(x)
    {function}
    return x * 0.5


class Block(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        x = self.layer(x)
        {block}
        return x.relu() + 1


class Network(nn.Module):
"""
PERCEPTRON = """
    def __init__(self):
        super().__init__()
        self.first, self.block = nn.Linear({width}, {width}), Block(nn.Linear({width}, {width}))
        self.last = nn.Linear({width}, 10)

    def forward(self, x):
        {start}
        x = self.first(x)
        {between}
        x = squashed(self.block(x))
        {end}
        return self.last(x)
"""
CONVOLUTION = """
    def __init__(self):
        super().__init__()
        self.first, self.block = nn.Conv2d(3, {width}, 3), Block(nn.Conv2d({width}, {width}, 3))
        self.last = nn.Linear({width}, 10)

    def forward(self, x):
        {start}
        x = torch.max_pool2d(self.first(x), 2)
        {between}
        x = squashed(self.block(x))
        {end}
        return self.last(x.mean((2, 3)))
"""


@dataclass(frozen=True, kw_only=True)
class PlantedNetwork:
    """Two sources of ``Network``, the lines of the first that are the fault, and the shape of its inputs."""

    now: str
    before: str
    lines: tuple[int, ...]
    shape: tuple[int, ...]


def planted(fault: str, variant: int) -> PlantedNetwork:
    """The network of a variant with a fault, and without it."""
    convolves, place = divmod(variant, len(PLACES))
    width, batch = 8 * (variant + 1), 4 + variant
    template = HEAD.lstrip() + (CONVOLUTION if convolves else PERCEPTRON).lstrip("\n")
    forms = FAULTS[fault]
    form = forms[variant % len(forms)]
    now, before = (_source(template, width, PLACES[place], lines) for lines in (form, ()))
    first = now.splitlines().index("        " + form[0] if PLACES[place] != "function" else "    " + form[0]) + 1
    return PlantedNetwork(
        now=now, before=before, lines=tuple(range(first, first + len(form))),
        shape=(batch, 3, 12 + variant, 12 + variant) if convolves else (batch, width),
    )  # fmt: skip


def _source(template: str, width: int, place: str, form: tuple[str, ...]) -> str:
    """The template with a form's lines at one place; a place without a fault has no line."""
    lines = []
    for line in template.replace("{width}", str(width)).splitlines():
        name = line.strip().strip("{}")
        if name not in PLACES or line.strip() == name:
            lines.append(line)
        elif name == place:
            lines += [line.replace(f"{{{name}}}", one) for one in form]
    return "\n".join([*lines, ""])
