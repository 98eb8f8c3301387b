"""A process of the study that counts structure: ``python -m studies.gate.structural_process FAULT VARIANT...``.

Each variant's network is counted with the fault and without it, as `suite compare --count` counts its two sides, and
what the comparison says is printed as a line of JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from studies.gate.structural_networks import COMPILED, planted
from suite.compare.counts import compared
from suite.compare.exact import Exact
from suite.compare.protocol import WorkCounted
from suite.measure.counting.calls import CallCount, served_counts
from suite.measure.counting.compiler import watched
from suite.measure.counting.operators import place, work_of

AGAIN = 3  # calls after the first, as `suite.measure.counts` makes them
FILE = "model.py"


def main(fault: str, variants: Sequence[int]) -> None:
    """Print what was found in each variant."""
    torch.set_num_threads(1)
    for variant in variants:
        sys.stdout.write(json.dumps({"variant": variant, **judged(fault, variant)}) + "\n")
        sys.stdout.flush()


def judged(fault: str, variant: int) -> dict[str, Any]:
    """The metrics that regressed, whether one of them names a planted line, and what they say."""
    made = planted(fault, variant)
    is_compiled = fault in COMPILED or (fault == "moved" and variant % 2 == 1)
    with TemporaryDirectory() as name:
        now, before = (
            _counted(_network(Path(name) / side, source), torch.ones(made.shape), compiled=is_compiled)
            for side, source in (("now", made.now), ("before", made.before))
        )
        found = [one for one in compared(now, before) if one.verdict != "same"]
    return {
        "verdicts": {one.metric: one.verdict for one in found},
        "named": [one.metric for one in found if _names(one, made.lines)],
        "said": {one.metric: "; ".join(one.changes) for one in found},
    }


def _names(one: Exact, lines: Sequence[int]) -> bool:
    """Whether a planted line, told in full, stands in the sentence."""
    words = " ".join(one.changes).replace(",", " ").replace(";", " ").split()
    return any(word.endswith(f"{FILE}:{line}") for word in words for line in lines)


def _network(folder: Path, source: str) -> nn.Module:
    folder.mkdir()
    file = folder / FILE
    file.write_text(source, "utf-8")
    spec = importlib.util.spec_from_file_location(f"{folder.name}_model", file)
    assert spec is not None  # noqa: S101  # the file is there
    assert spec.loader is not None  # noqa: S101  # it is Python
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    network: nn.Module = module.Network().eval()
    return network


def _counted(network: nn.Module, inputs: Tensor, *, compiled: bool) -> WorkCounted:
    def first() -> Any:
        made = torch.compile(network, dynamic=False) if compiled else network
        made(inputs)
        return made

    def again(made: Any) -> None:
        for _ in range(AGAIN):
            made(inputs)

    with torch.no_grad():
        made, seen = watched(first, again, place)
        return _sent(served_counts(lambda: made(inputs), seen, work_of))


def _sent(found: Mapping[str, CallCount]) -> WorkCounted:
    """As a side of a comparison answers."""
    return WorkCounted(
        values={name: one.value for name, one in found.items()},
        fingerprints={name: dict(one.fingerprint) for name, one in found.items()},
        doubts={name: one.doubt for name, one in found.items() if one.doubt},
        lines={name: dict(one.lines) for name, one in found.items()},
    )


if __name__ == "__main__":
    main(sys.argv[1], [int(text) for text in sys.argv[2:]])
