"""The identity of this machine: a stable key and family for expectations, and the software on it.

A key names hardware, never a host or a clock rate: ``cpu-x86_64-amd-epyc-9b14-2c``, ``cuda-sm90-nvidia-h200``. A family
names the features that select kernels: ``cpu-x86_64-avx512``, ``cuda-sm90``. Only functions that need torch import it.
"""

# torch and torchvision take seconds to import: each function that needs one imports it

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.core.errors import SetupError, UsageError, unknown
from suite.core.machine import nvml
from suite.core.records import Where

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ("torch", "triton", "torchvision", "torchao", "bitsandbytes", "torch-pruning", "numpy", "scikit-learn")
DISTRIBUTION = "tradeoff-suite"
DEVICES = ("auto", "cpu", "gpu", "cuda", "xpu", "mps")
AVX512 = frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})
X86_FAMILIES = (
    ("amx", AVX512 | {"amx_tile"}),
    ("avx512_bf16", AVX512 | {"avx512_bf16"}),
    ("avx512_vnni", AVX512 | {"avx512_vnni"}),
    ("avx512", AVX512),
    ("avx_vnni", frozenset({"avx2", "avx_vnni"})),  # int8 dot products in 256 bits: other kernels than avx2's
    ("avx2", frozenset({"avx2"})),
)
ARM_FAMILIES = (("sve", frozenset({"sve"})), ("bf16", frozenset({"bf16"})))

# -- processors ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What the operating system says about the CPU; ``family``/``model`` are CPUID's, where there are any."""

    brand: str
    flags: frozenset[str] = frozenset()
    family: str = ""
    model: str = ""


def parse_cpuinfo(text: str) -> Processor:
    """The first processor of Linux's ``/proc/cpuinfo``. ARM names no brand: implementer and part stand in for it."""
    pairs = (line.partition(":") for line in text.splitlines())
    found: dict[str, str] = {}
    for key, _, value in pairs:
        found.setdefault(key.strip().lower(), value.strip())
    part = f"implementer {found.get('cpu implementer', 'unknown')} part {found.get('cpu part', 'unknown')}"
    return Processor(
        brand=found.get("model name") or part.replace("0x", ""),
        flags=frozenset((found.get("flags") or found.get("features") or "").split()),
        family=found.get("cpu family", ""),
        model=found.get("model", ""),
    )


def parse_sysctl(text: str) -> Processor:
    """What ``sysctl machdep.cpu hw.optional`` says on macOS; its instruction names are turned into Linux's."""
    found = dict(re.findall(r"^([\w.]+): *(.*)$", text, re.MULTILINE))
    names = f"{found.get('machdep.cpu.features', '')} {found.get('machdep.cpu.leaf7_features', '')}".lower()
    flags = {re.sub(r"^avx512(bf16|vnni)$", r"avx512_\1", name) for name in names.split()}
    if found.get("hw.optional.arm.FEAT_BF16") == "1":
        flags.add("bf16")
    return Processor(brand=found.get("machdep.cpu.brand_string", "apple"), flags=frozenset(flags))


@functools.cache
def processor() -> Processor:
    """This machine's CPU."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        return parse_cpuinfo(cpuinfo.read_text("utf-8", errors="replace"))
    sysctl = shutil.which("sysctl")
    if sys.platform == "darwin" and sysctl:
        return parse_sysctl(_output([sysctl, "machdep.cpu", "hw.optional"]) or "")
    return Processor(brand=platform.processor() or "unknown")


def architecture(name: str = "") -> str:
    """``name`` (else this machine's instruction set) in Linux's spelling: ``x86_64``, ``aarch64``."""
    given = (name or platform.machine() or "unknown").lower()
    return {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}.get(given, given)


def slug(brand: str) -> str:
    """A brand in lower case with dashes, without trademark signs, fillers, core counts and clock rates."""
    text = re.sub(r"\((r|tm|c)\)", " ", brand.lower())
    text = re.sub(r"@.*|\b\d+(\.\d+)? ?[gm]hz\b|\b\w+-core\b|\b(cpu|processor)\b", " ", text)
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-") or "unknown"


def cpu_key(cpu: Processor, arch: str, cores: int) -> str:
    """The machine key of a CPU. Where a hypervisor hides the model ('AMD EPYC'), CPUID's family and model tell it."""
    name = slug(cpu.brand)
    if not re.search(r"\d", name) and cpu.family and cpu.model:
        name += f"-f{cpu.family}m{cpu.model}"
    return f"cpu-{arch}-{name}-{cores}c"


def cpu_family(flags: frozenset[str], arch: str) -> str:
    """The family of a CPU: its most capable instructions among those that decide which kernels run."""
    rows = {"x86_64": X86_FAMILIES, "aarch64": ARM_FAMILIES}.get(arch, ())
    best = next((name for name, needed in rows if needed <= flags), None)
    return f"cpu-{arch}-{best}" if best else f"cpu-{arch}"


# -- devices -------------------------------------------------------------------------------------------------------


def machine_key(device: str) -> str:
    """The stable key of the hardware behind ``device``: no host name, no clock rate, no affinity."""
    if device_type(device) == "cpu":
        return cpu_key(processor(), architecture(), os.cpu_count() or 1)
    return f"{family(device)}-{_accelerator_slug(device)}"


def family(device: str) -> str:
    """What decides the kernels on ``device``: instructions of a CPU, architecture of a GPU."""
    kind = device_type(device)
    if kind == "cpu":
        return cpu_family(processor().flags, architecture())
    if kind != "cuda":
        return kind
    import torch

    if torch.version.hip:
        return f"rocm-{torch.cuda.get_device_properties(device).gcnArchName.partition(':')[0]}"
    major, minor = torch.cuda.get_device_capability(device)
    return f"cuda-sm{major}{minor}"


def resolve_device(text: str) -> str:
    """The device that ``text`` means: ``auto`` and ``gpu`` become the accelerator, ``cuda:1`` stays as it is.

    Raises `UsageError` for a text that names no device, `SetupError` for a device that is not there.
    """
    kind, _, index = text.partition(":")
    if text == "cpu":
        return text
    if kind not in DEVICES and kind != _accelerator():
        raise unknown("device", text, DEVICES)
    if ":" in text and (kind in ("auto", "cpu", "gpu") or not index.isdecimal()):
        raise UsageError(f"unknown device {text!r}; write {kind}, or an accelerator with its number such as cuda:1")
    found = _accelerator()
    if text == "auto":
        return found or "cpu"
    if found is None or kind not in ("gpu", found):
        raise SetupError(_no_accelerator(text, found))
    _check_index(text, index)
    return found if kind == "gpu" else text


def where(device: str, data_digests: Mapping[str, str] | None = None) -> Where:
    """Machine, family, threads and versions of a run on ``device``; ``data_digests`` by workload."""
    return Where(
        machine=machine_key(device),
        family=family(device),
        device=device,
        threads=threads(device),
        versions={**versions(), **accelerator_versions(device)},
        data_digests=dict(data_digests or {}),
    )


def threads(device: str) -> int:
    """Threads that compute: torch's on a CPU; 1 on an accelerator, whose figures owe little to the host."""
    if device_type(device) != "cpu":
        return 1
    import torch

    return torch.get_num_threads()


def device_type(device: str) -> str:
    return device.partition(":")[0]


def _accelerator() -> str | None:
    import torch

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found else None


def _no_accelerator(text: str, found: str | None) -> str:
    wanted = "accelerator" if text == "gpu" else f"{device_type(text)} device"
    instead = f"--device {found}" if found else "--device cpu"
    return (
        f"torch {_version('torch')} finds no {wanted} here; use {instead}, or install the device's driver and a build "
        "of torch for it"
    )


def _check_index(text: str, index: str) -> None:
    import torch

    count = torch.accelerator.device_count()
    if index and int(index) >= count:
        raise SetupError(f"there is no {text}: torch finds {count} such device(s), numbered from 0")


def _accelerator_slug(device: str) -> str:
    import torch

    backend: Any = getattr(torch, device_type(device), None)
    if hasattr(backend, "get_device_name"):
        return slug(backend.get_device_name(device))
    return slug(processor().brand)  # Apple's GPU is part of the processor


# -- software ------------------------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    """Versions that figures depend on: Python's (major.minor), the suite's and the installed packages'.

    By the packages' distribution names, without local parts. scikit-learn makes the folds, torch-pruning the channels.
    """
    installed = {name: _version(name) for name in PACKAGES}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    own = importlib.import_module("suite").__version__  # at run time: the package stands above this room
    return {"python": python, DISTRIBUTION: own, **{name: version for name, version in installed.items() if version}}


def accelerator_versions(device: str) -> dict[str, str]:
    """The runtime (``cuda`` or ``rocm``) and the ``driver`` behind ``device``, as far as they can be read."""
    if device_type(device) != "cuda":
        return {}
    import torch

    found = {"cuda": torch.version.cuda, "rocm": torch.version.hip, "driver": _driver()}
    return {name: version for name, version in found.items() if version}


def check_torchvision() -> None:
    """Raise `SetupError` if torchvision cannot be imported beside this torch: usually the two are no pair."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise SetupError(
            f"torchvision {_version('torchvision') or '(not installed)'} cannot be used with torch {_version('torch')} "
            f"({reason}); install a matching pair with `pip install --upgrade torch torchvision`"
        ) from error


def git_commit(directory: Path | str) -> str | None:
    """The short hash of the commit checked out in ``directory``, with ``-dirty`` where tracked files differ from it."""
    git = shutil.which("git")
    if git is None:
        return None
    return _output([git, "-C", str(directory), "describe", "--always", "--dirty", "--exclude=*"])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _driver() -> str | None:
    """The version of NVIDIA's driver: as the kernel says it, else (Windows, WSL) as NVML does."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text("utf-8")
    except OSError:
        return nvml.driver()
    found = re.search(r"Kernel Module\D*([\d.]+)", text)
    return found[1] if found else None


def _output(command: list[str]) -> str | None:
    """What ``command`` prints; ``None`` if it fails, hangs or prints nothing."""
    try:
        done = subprocess.run(  # noqa: S603  # fixed commands of the system
            command, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout.strip() or None) if done.returncode == 0 else None
