"""S-05: a training that is killed between two steps and started again from its last state, against one that runs on."""

import json
import multiprocessing
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

STEPS, KILLED_AFTER = 20, 7


def train(file: str, killed_after: int) -> None:
    """Steps from the state in a file on, or from the first; the state is kept after each of them."""
    torch.manual_seed(0)
    model, path = nn.Linear(6, 3), Path(file)
    optimizer = torch.optim.Adam(model.parameters())
    state: dict[str, Any] = {"step": 0}
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for step in range(state["step"], STEPS):
        inputs = torch.randn(8, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()
        kept = {"step": step + 1, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(kept, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        if step + 1 == killed_after:
            os.kill(os.getpid(), signal.SIGTERM)


def process(file: Path, killed_after: int) -> int:
    """The exit code of a training process."""
    one = multiprocessing.Process(target=train, args=(str(file), killed_after))
    one.start()
    one.join()
    return one.exitcode or 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        through, again = Path(folder) / "through.pt", Path(folder) / "again.pt"
        process(through, 0)
        killed = process(again, KILLED_AFTER)
        process(again, 0)
        weights = [torch.load(file, weights_only=True)["model"]["weight"] for file in (through, again)]
    print(json.dumps({"was_killed": killed != 0, "same_weights": torch.equal(*weights)}))
