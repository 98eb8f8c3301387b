"""`suite doctor`: what this machine is, what it can do and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from suite.errors import SuiteError
from suite.machine import hardware as machine
from suite.machine import nvml, quiet
from suite.machine.needs import missing_need
from suite.measure.ceilings import ceilings

NEEDS = ("compiler", "bf16", "fp16", "int8_cpu")


def lines() -> Iterator[str]:
    """The machine's keys, versions, ceilings, and each need that is not met with its reason."""
    device = machine.resolve_device("auto")
    yield f"device    {device}"
    yield f"machine   {machine.machine_key(device)}"
    yield f"family    {machine.family(device)}"
    yield f"versions  {', '.join(f'{name} {version}' for name, version in machine.versions().items())}"
    yield from (f"{name:<9} {value}" for name, value in nvml.describe(device).items())
    try:
        machine.check_torchvision()
    except SuiteError as error:
        yield f"problem   {error}"
    for need in NEEDS:
        reason = missing_need(need, device)
        yield f"{need:<9} {'yes' if reason is None else reason}"
    yield from _ceilings(device)
    calm, reason = quiet.is_quiet()
    yield f"quiet     {'yes' if calm else reason}"


def _ceilings(device: str) -> Iterator[str]:
    found = ceilings(device)
    for dtype, flops in found.gemm.items():
        yield f"ceiling   {dtype} GEMM {flops / 1e9:.1f} GFLOP/s"
    yield f"ceiling   copy {found.copy / 1e9:.2f} GB/s"
