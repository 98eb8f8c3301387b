"""torch's global settings that shape figures: read, compared, and set for a while.

They belong to the process and not to a network, so a technique that changes one changes the baseline beside it too.
Torch has two interfaces for the precision of float32 products and refuses to be asked about one after the other has
been used; only the older one sets all backends alike, and only that one is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from suite.core.errors import UsageError, unknown

Value = int | str

MIXED = "mixed"  # a precision that was set through both of torch's interfaces, and has no one name any more
MATMUL, MATMUL_TF32 = "float32_matmul_precision", "cuda_matmul_allow_tf32"
DETERMINISTIC = ("off", "warn", "error")


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One setting; ``read`` and ``write`` are given torch. ``values`` are those allowed, empty for a number from 1."""

    read: Callable[[Any], Value]
    write: Callable[[Any, Any], object]
    values: tuple[Value, ...] = (0, 1)

    def allows(self, value: object) -> bool:
        if self.values:
            return value in self.values
        return isinstance(value, int) and value >= 1


def _switch(path: str) -> Flag:
    """A boolean attribute somewhere below ``torch.backends``."""
    owner, _, name = path.rpartition(".")

    def read(torch: Any) -> int:
        return int(getattr(getattr(torch.backends, owner), name))

    def write(torch: Any, value: int) -> None:
        setattr(getattr(torch.backends, owner), name, bool(value))

    return Flag(read=read, write=write)


def _matmul_precision(torch: Any) -> str:
    try:
        return str(torch.get_float32_matmul_precision())
    except RuntimeError:
        return MIXED


def _matmul_tf32(torch: Any) -> Value:
    try:
        return int(torch.backends.cuda.matmul.allow_tf32)
    except RuntimeError:
        return MIXED


def _set_matmul_tf32(torch: Any, value: int) -> None:
    """By the name of the precision: the attribute would set CUDA apart from the other backends."""
    if _matmul_tf32(torch) != value:
        torch.set_float32_matmul_precision("high" if value else "highest")


def _determinism(torch: Any) -> str:
    if not torch.are_deterministic_algorithms_enabled():
        return "off"
    return "warn" if torch.is_deterministic_algorithms_warn_only_enabled() else "error"


FLAGS: Mapping[str, Flag] = {
    "threads": Flag(read=lambda t: int(t.get_num_threads()), write=lambda t, v: t.set_num_threads(v), values=()),
    "default_dtype": Flag(
        read=lambda t: str(t.get_default_dtype()).removeprefix("torch."),
        write=lambda t, v: t.set_default_dtype(getattr(t, v)),
        values=("float32", "float64", "bfloat16", "float16"),
    ),
    MATMUL: Flag(
        read=_matmul_precision,
        write=lambda t, v: t.set_float32_matmul_precision(v),
        values=("highest", "high", "medium"),
    ),
    MATMUL_TF32: Flag(read=_matmul_tf32, write=_set_matmul_tf32),
    "cudnn_allow_tf32": _switch("cudnn.allow_tf32"),
    "cudnn_benchmark": _switch("cudnn.benchmark"),
    "cudnn_deterministic": _switch("cudnn.deterministic"),
    "cudnn_enabled": _switch("cudnn.enabled"),
    "mkldnn_enabled": _switch("mkldnn.enabled"),
    "deterministic_algorithms": Flag(
        read=_determinism,
        write=lambda t, v: t.use_deterministic_algorithms(v != "off", warn_only=v == "warn"),
        values=DETERMINISTIC,
    ),
}
"""In the order in which they are written."""


def read() -> dict[str, Value]:
    """Every flag's value now; switches are 0 or 1."""
    import torch

    return {name: flag.read(torch) for name, flag in FLAGS.items()}


def write(flags: Mapping[str, Value]) -> None:
    """Set the named flags and leave the others. Raises `UsageError`, before any is set, for names or values unknown."""
    import torch

    _check(flags)
    for name, flag in FLAGS.items():
        if name in flags:
            flag.write(torch, flags[name])


def changed(before: Mapping[str, Value], after: Mapping[str, Value]) -> str | None:
    """The flags that differ, as a text for people: ``threads 1 -> 2``; ``None`` where none does."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"{name} {before.get(name, 'unset')} -> {after.get(name, 'unset')}" for name in names) or None


@contextmanager
def applied(flags: Mapping[str, Value]) -> Iterator[None]:
    """Set the named flags for the body and bring back what they were."""
    _check(flags)
    now = read()
    names = {*flags, *([MATMUL] if MATMUL_TF32 in flags else [])}  # of which there are two besides "highest"
    before = {name: now[name] for name in names}
    _check(before)  # what cannot be brought back is not changed
    try:
        write(flags)
        yield
    finally:
        write(before)


def _check(flags: Mapping[str, Value]) -> None:
    for name, value in flags.items():
        if name not in FLAGS:
            raise unknown("flag", name, FLAGS)
        if value == MIXED:
            raise UsageError(
                f"{name} was set through both of torch's interfaces and can be neither read nor brought back; use "
                "torch.set_float32_matmul_precision alone, not torch.backends.*.fp32_precision"
            )
        if not FLAGS[name].allows(value):
            allowed = ", ".join(map(str, FLAGS[name].values)) or "a whole number of at least 1"
            raise UsageError(f"{name} cannot be {value!r}; allowed: {allowed}")
    if MATMUL in flags and flags.get(MATMUL_TF32, flags[MATMUL] != "highest") != (flags[MATMUL] != "highest"):
        raise UsageError(
            f"{MATMUL}={flags[MATMUL]!r} contradicts {MATMUL_TF32}={flags[MATMUL_TF32]}; leave one of the two out"
        )
