"""What needs an accelerator or a counter of energy: measured where there is one, unavailable elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from statistics import median
from typing import TYPE_CHECKING, Any

from suite.claims.facts.declare import slow_fact
from suite.claims.quantities import Quantity
from suite.core.errors import UnavailableError
from suite.core.machine.energy import counters_of

if TYPE_CHECKING:
    import torch
    from torch import nn

ROUNDS = 9
SIDE = 2048  # of a product of matrices
BATCH, WIDTH = 512, 4096  # of a perceptron that is trained
IMAGES = 256  # of a batch whose energy is read
METERED = 10.0  # seconds at most in which energy is read


def accelerator() -> torch.device:
    """The accelerator of this machine. Raises `UnavailableError` where there is none."""
    import torch

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if found is None:
        raise UnavailableError("there is no accelerator here: run on a machine with a GPU")
    return found


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    import torch

    begun = time.perf_counter()
    work()
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter() - begun


def ratio(first: Callable[[], float], second: Callable[[], float]) -> Quantity:
    """Median ratio of two times in `ROUNDS` turns, from its least to its greatest but one: about 96 %."""
    first(), second()
    found = sorted(first() / second() for _ in range(ROUNDS))
    return Quantity(value=median(found), low=found[1], high=found[-2], confidence=0.96)


@slow_fact
def accelerator_speedup() -> Quantity:
    """Seconds of a product of matrices in float32 on the CPU over those on the accelerator."""
    import torch

    there, here = accelerator(), torch.device("cpu")
    matrices = {device: torch.randn(SIDE, SIDE, device=device) for device in (here, there)}
    product = {device: (lambda one=matrix: one @ one) for device, matrix in matrices.items()}
    return ratio(lambda: _seconds(product[here], here), lambda: _seconds(product[there], there))


def _trainer(device: torch.device, *, mixed: bool) -> tuple[nn.Module, Callable[[], None]]:
    """A wide perceptron and one training step of it."""
    import torch
    from torch import nn

    layers = [layer for _ in range(4) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    network = nn.Sequential(*layers).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    inputs = torch.randn(BATCH, WIDTH, device=device)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.float16) if mixed else nullcontext():
            loss = network(inputs).square().mean()
        loss.backward()
        optimizer.step()

    return network, step


@slow_fact
def gpu_amp_speedup() -> Quantity:
    """Seconds of a training step in float32 over those under autocast to float16, on the accelerator."""
    device = accelerator()
    steps = {mixed: _trainer(device, mixed=mixed)[1] for mixed in (False, True)}
    return ratio(lambda: _seconds(steps[False], device), lambda: _seconds(steps[True], device))


@slow_fact
def gpu_amp_activation_bytes() -> float:
    """Bytes that a forward pass under autocast keeps for backward, over those in float32, on the accelerator."""
    device = accelerator()
    return _kept(device, mixed=True) / _kept(device, mixed=False)


def _kept(device: torch.device, *, mixed: bool) -> float:
    """Bytes of all tensors that backward needs, weights aside."""
    import torch

    network, step = _trainer(device, mixed=mixed)
    weights = {weight.data_ptr() for weight in network.parameters()}
    forms = {shape for weight in network.parameters() for shape in (weight.shape, weight.shape[::-1])}
    sizes: dict[int, int] = {}

    def pack(tensor: Any) -> Any:
        if tensor.data_ptr() not in weights and tensor.shape not in forms:  # autocast copies weights in half precision
            sizes[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        step()
    return float(sum(sizes.values()))


@slow_fact
def dedicated_chip_speedup() -> float:
    """Seconds on the CPU over those on a chip made for networks alone, which no machine of ours has."""
    raise UnavailableError("there is no TPU or neural processing unit here that torch can use")


@slow_fact
def scaling_efficiency(devices: float) -> float:
    """Throughput of data-parallel training on as many accelerators, over theirs if nothing were lost between them."""
    raise UnavailableError(f"there are no {devices:g} accelerators here")


@slow_fact
def engine_speedup(engine: str) -> float:
    """Seconds in PyTorch over those in another engine, ``OpenVINO`` or ``TVM``."""
    raise UnavailableError(f"no runtime of the suite serves through {engine}: CONTRIBUTING.md says how to add one")


@slow_fact
def joules_per_image() -> float:
    """Energy of the processor's packages for one image through the article's repaired network."""
    import torch

    from suite.claims.facts.networks import simple_cnn
    from suite.measure.energy import energy

    found = counters_of("cpu")
    if not found.counters:
        raise UnavailableError(f"there is no counter of energy here: {found.absent}")
    network, images = simple_cnn("repaired").eval(), torch.zeros(IMAGES, 1, 28, 28)
    with torch.inference_mode():
        network(images)
        read = energy(lambda: network(images), found.counters, seconds=METERED, synchronize=lambda: None)
    if read.state == "invalid":
        raise UnavailableError(f"the energy that was read is not valid: {read.reason}")
    return read.joules / (read.calls * len(images))
