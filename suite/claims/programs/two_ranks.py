"""D-06, S-04: gradients of two ranks that each hold half of a batch, and of two that each hold a layer.

Both against one process, in float64. Ranks are processes that talk through gloo and a file.
"""

import json
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

RANKS = 2


def network() -> nn.Sequential:
    """The same on every rank."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).double()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Sixteen items, their classes."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(16, 6, dtype=torch.float64, generator=generator), torch.arange(16) % 3


def whole() -> torch.Tensor:
    """One process's gradient."""
    model, (inputs, targets) = network(), batch()
    nn.functional.cross_entropy(model(inputs), targets).backward()
    return flat(model)


def flat(model: nn.Module) -> torch.Tensor:
    """All gradients in one row."""
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])


def data_parallel(rank: int) -> torch.Tensor:
    """Half of the batch on each rank, gradients averaged."""
    model, (inputs, targets) = network(), batch()
    half = slice(rank, None, RANKS)
    nn.functional.cross_entropy(model(inputs[half]), targets[half]).backward()
    gradient = flat(model)
    dist.all_reduce(gradient)
    return gradient / RANKS


def model_parallel(rank: int) -> torch.Tensor:
    """The first layer on rank 0, the second on rank 1; activations go there, their gradients come back."""
    model, (inputs, targets) = network(), batch()
    passed = torch.zeros(16, 8, dtype=torch.float64)
    if rank == 0:
        hidden = model[:2](inputs)
        dist.send(hidden.detach(), 1)
        dist.recv(passed, 1)
        hidden.backward(passed)
    else:
        dist.recv(passed, 0)
        passed.requires_grad_()
        nn.functional.cross_entropy(model[2](passed), targets).backward()
        dist.send(passed.grad, 0)  # type: ignore[arg-type]  # backward has made one
    return flat(model)


def work(rank: int, file: str, answers: Any) -> None:
    """What a rank does; it answers with its gradients."""
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=RANKS)
    answers.put((rank, data_parallel(rank).tolist(), model_parallel(rank).tolist()))
    dist.barrier()
    dist.destroy_process_group()


def error(found: list[float], true: torch.Tensor) -> float:
    """Relative distance."""
    return float((torch.tensor(found, dtype=torch.float64) - true).norm() / true.norm())


if __name__ == "__main__":
    answers: Any = multiprocessing.Queue()
    with tempfile.TemporaryDirectory() as folder:
        given = (str(Path(folder) / "ranks"), answers)
        ranks = [multiprocessing.Process(target=work, args=(rank, *given)) for rank in range(RANKS)]
        for one in ranks:
            one.start()
        found = sorted(answers.get(timeout=60) for _ in ranks)
        for one in ranks:
            one.join()
    true, one_layer = whole(), found[0][2]
    parallel = max(error(data, true) for _, data, _ in found)
    print(json.dumps({"data_parallel_error": parallel, "model_parallel_error": error(one_layer + found[1][2], true)}))
