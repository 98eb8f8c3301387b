"""How fast this machine can be at best: rates of matrix products and copies, cached per machine and versions."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from suite.core.files import replace_file
from suite.core.machine import flags
from suite.core.machine.hardware import accelerator_versions, device_type, machine_key, threads, versions
from suite.core.machine.needs import missing_need

LEAST_GEMM_SECONDS = 0.02  # one product must last that long for its rate to be the machine's and not the call's
FIRST_GEMM, LARGEST_GEMM = 128, 16384  # a first product of 4 MFLOP ends soon even where the type is emulated
COPY_BYTES = 2**28  # beyond the last-level cache of a core
ACCELERATOR_COPY_BYTES = 2**31  # half a millisecond at 4 TB/s: waiting for it, 10 us, is little beside that
COPY = "copy"
TF32 = "tensorfloat32"  # products of float32 whose inputs are rounded, as those of cuDNN's convolutions are by default
LEAST_REPEATS = 3


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """The best this machine can do: ``gemm`` FLOP/s by data type, ``copy`` bytes/s (read + written), medians."""

    machine: str
    threads: int
    copy: float
    gemm: Mapping[str, float] = field(default_factory=dict)

    def rates(self) -> dict[str, float]:
        """All of them by name, as a run's header has them."""
        return {**self.gemm, COPY: self.copy}


def ceilings(device: str, *, refresh: bool = False, seconds: float = 4.0) -> Ceilings:
    """The measured ceilings of ``device``, from the user's cache or, in about ``seconds``, anew.

    Cached by machine key, versions and threads; an unreadable cache is measured again and replaced.
    """
    path = _ceilings_path(device)
    cached = None if refresh else _read_ceilings(path)
    if cached is not None:
        return cached
    found = _measure_ceilings(device, seconds)
    _write_atomically(path, json.dumps(asdict(found), indent=2, sort_keys=True) + "\n")
    return found


def measured_before(device: str) -> Ceilings | None:
    """The ceilings of ``device`` in the user's cache; ``None`` where `ceilings` was not called yet, or elsewhere."""
    return _read_ceilings(_ceilings_path(device))


def gemm_rate(product: Callable[[int], Callable[[], object]], seconds: float, clock: Callable[[], float]) -> float:
    """FLOP/s of ``product(n)``, a call that multiplies two n x n matrices and waits: 2 n^3 over its median time.

    ``n`` doubles until one product takes 20 ms, so that a type which the processor emulates ends early too.
    """
    n = FIRST_GEMM
    while True:
        call = product(n)
        call()  # warm-up
        if _timed(call, clock) >= LEAST_GEMM_SECONDS or n >= LARGEST_GEMM:
            return 2 * n**3 / _median_seconds(call, seconds, clock)
        n *= 2


def _measure_ceilings(device: str, seconds: float) -> Ceilings:
    import torch

    usable = _usable(device)
    share = seconds / (len(usable) + 1)
    with torch.inference_mode():
        gemm = {name: _gemm(device, name, share, apart=TF32 in usable) for name in usable}
        size = _copy_bytes(device)
        source = torch.ones(size // 4, device=device)
        target = torch.empty_like(source)
        copy = _waiting(device, lambda: target.copy_(source))
        copy()  # warm-up: the first copy faults the pages in
        rate = 2 * size / _median_seconds(copy, share, time.perf_counter)
    return Ceilings(machine=machine_key(device), threads=threads(device), copy=rate, gemm=gemm)


def _usable(device: str) -> list[str]:
    """The types whose products are measured; TF32 and float32 are told apart by a setting that can be brought back."""
    types = {"float32": None, TF32: "tensorfloat32", "bfloat16": "bf16", "float16": "fp16"}
    found = [name for name, need in types.items() if need is None or missing_need(need, device) is None]
    mixed = TF32 in found and flags.read()[flags.MATMUL] == flags.MIXED
    return [name for name in found if name != TF32 or not mixed]


def _gemm(device: str, name: str, seconds: float, *, apart: bool) -> float:
    """FLOP/s of products of a type; ``apart`` keeps those of float32 and of float32 rounded to TF32 apart."""
    precision = {TF32: "high", "float32": "highest"}.get(name) if apart else None
    with nullcontext() if precision is None else flags.applied({flags.MATMUL: precision}):
        return gemm_rate(_products(device, "float32" if name == TF32 else name), seconds, time.perf_counter)


def _copy_bytes(device: str) -> int:
    """How much is copied: on CUDA at most a sixteenth of the memory, of which it takes twice that."""
    if device_type(device) != "cuda":
        return COPY_BYTES
    import torch

    _, total = torch.cuda.mem_get_info(device)
    return max(COPY_BYTES, min(ACCELERATOR_COPY_BYTES, total // 16 // 4 * 4))


def _products(device: str, dtype: str) -> Callable[[int], Callable[[], object]]:
    import torch

    def product(n: int) -> Callable[[], object]:
        left, right = (torch.randn(n, n, device=device).to(getattr(torch, dtype)) for _ in range(2))
        result = torch.empty_like(left)
        return _waiting(device, lambda: torch.mm(left, right, out=result))

    return product


def _waiting(device: str, call: Callable[[], object]) -> Callable[[], object]:
    """``call`` that returns when its work on the accelerator is done."""
    if device_type(device) == "cpu":
        return call
    import torch

    def wait() -> None:
        call()
        torch.accelerator.synchronize(device)

    return wait


def _timed(call: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return clock() - start


def _median_seconds(call: Callable[[], object], seconds: float, clock: Callable[[], float]) -> float:
    """Median time of the calls that fit into ``seconds``, at least three."""
    times: list[float] = []
    while len(times) < LEAST_REPEATS or sum(times) < seconds:
        times.append(_timed(call, clock))
    return statistics.median(times)


def _ceilings_path(device: str) -> Path:
    import platformdirs

    facts = {**versions(), **accelerator_versions(device), "threads": str(threads(device))}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    cache = platformdirs.user_cache_path("tradeoff-suite", appauthor=False)
    return cache / "ceilings" / f"{machine_key(device)}-{digest}.json"


def _read_ceilings(path: Path) -> Ceilings | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        rates = {name: float(rate) for name, rate in found["gemm"].items()}
        copy = float(found["copy"])
        known = Ceilings(machine=str(found["machine"]), threads=int(found["threads"]), copy=copy, gemm=rates)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return known if rates and all(0 < rate < float("inf") for rate in (copy, *rates.values())) else None


def _write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` in one step. A cache that cannot be written is no error: it is measured again next time."""
    with suppress(OSError):
        replace_file(path, text.encode())
