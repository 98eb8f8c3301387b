"""Operators that a call dispatches, the memory that they allocate, and the lines of code that they come from.

Of torch alone: each side of a comparison loads this file by its path, whatever its version of the suite.

A fingerprint is a multiset of names by place: ``aten.copy_ @ model.py:forward:3f2a``. The last part is a digest of
the line's text, so that a name keeps its key where lines are only moved. What has no place in the user's code (a
backward pass, an optimizer of torch) has the name alone.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

AT = " @ "
DIGITS = 4  # of the digest of a line's text
LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120  # compared with file names as frames have them
TORCH = os.path.dirname(torch.__file__)  # noqa: PTH120
OVERWRITES = ("aten.copy_", "aten.fill_", "aten.zero_")  # their first argument is written and never read
CATALOG = "catalog"  # of the suite: techniques and networks, which are the code that is counted
UNCOUNTED = "profiler."  # marks of time, which torch's optimizers make
GENERATED = "extern_kernels"  # a global of TorchInductor's generated modules


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line of code: ``stable`` names it in fingerprints, ``line`` is where it stands now (``src/model.py:41``)."""

    stable: str
    line: str


@dataclass(kw_only=True)
class CallWork:
    """What one call did: fingerprints of operators and of views, and the tensors that got memory of their own."""

    operators: Counter[str] = field(default_factory=Counter)
    views: Counter[str] = field(default_factory=Counter)
    allocations: int = 0
    allocated_bytes: int = 0
    moved_bytes: int = 0
    """Bytes that operators read and write, views apart: what memory must move if nothing stays in a cache."""
    lines: dict[str, str] = field(default_factory=dict)
    """The present line of each key that has a place."""


def work_of(call: Callable[[], object], *, eagerly: bool = False) -> CallWork:
    """What ``call`` dispatches to torch's operators. Compiled code dispatches what it does not compute by itself.

    ``eagerly`` counts the operators of the code that was compiled instead: torch does not run compiled code then.
    """
    kind = _uncompiled(_EagerCounter if eagerly else _Counter)
    mode = kind(sys._getframe())  # noqa: SLF001  # where the user's frames end
    with mode:
        call()
    return mode.work


def _uncompiled(kind: type[_Counter]) -> type[_Counter]:
    """``kind``, whose own code the compiler does not take for the network's where anything was compiled."""
    if "torch._dynamo" not in sys.modules:
        return kind
    counting = torch._dynamo.disable(kind.__torch_dispatch__)  # noqa: SLF001  # the documented way
    return type(kind.__name__, (kind,), {"__torch_dispatch__": counting})


def place(file: str, line: int, function: str) -> Place:
    """The place of a line of a function."""
    text = linecache.getline(file, line).strip()
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
    return Place(stable=f"{Path(file).name}:{function}:{digest}", line=f"{_near(file)}:{line}")


def is_users(file: str) -> bool:
    """Whether a file is neither of torch, nor of Python's library, nor of the parts of the suite that measure."""
    if file.startswith(("<", TORCH + os.sep)) or (file.startswith(LIBRARY + os.sep) and "site-packages" not in file):
        return False
    return not any(file.startswith(root + os.sep) and not _in_catalog(file, root) for root in _suites())


class _Counter(TorchDispatchMode):
    """Counts on the way of each operator; ``outside`` is the frame beyond which nothing is the user's."""

    supports_higher_order_operators = True

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        """Compiled code runs as without this mode."""
        return True

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without the usual guard, which imports the compiler: seconds in a process that compiles nothing."""
        return False

    def __init__(self, outside: FrameType) -> None:
        super().__init__()
        self.work, self.outside = CallWork(), outside

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self._see(func, (args, kwargs), output)
        return output

    def _see(self, func: Any, given: Any, output: Any) -> None:
        key = name = _name(func)
        if name.startswith(UNCOUNTED):
            return
        found = _users_frame(sys._getframe(2), self.outside)  # noqa: SLF001  # the only way to the caller
        if found is not None:
            key = name + AT + found.stable
            self.work.lines[key] = found.line
        (self.work.views if getattr(func, "is_view", False) else self.work.operators)[key] += 1
        known = {identity for identity, _ in _storages(given)}
        new = {identity: size for identity, size in _storages(output) if identity not in known}
        self.work.allocations += len(new)
        self.work.moved_bytes += moved_bytes(func, given[0], given[1], output)
        self.work.allocated_bytes += sum(new.values())


class _EagerCounter(_Counter):
    """The same over the code that was compiled."""

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        return False


def _name(func: Any) -> str:
    """``aten.copy_`` of ``aten.copy_.default``; higher-order operators have one name."""
    return str(getattr(func, "overloadpacket", func))


def moved_bytes(func: Any, args: Any, kwargs: Any, output: Any) -> int:
    """Bytes of the tensors that an operator reads and writes, once each, packed weights too; views move nothing."""
    if getattr(func, "is_view", False):
        return 0
    read = args[1:] if _name(func) in OVERWRITES else args
    given = (read, {key: value for key, value in (kwargs or {}).items() if key != "out"})
    tensors = [leaf for tree in (given, output) for leaf in tree_leaves(tree)]
    return sum(one.numel() * one.element_size() for leaf in tensors for one in _whole(leaf))


def _whole(leaf: Any) -> Iterator[torch.Tensor]:
    """A tensor, or those that an object of C++ packs."""
    if isinstance(leaf, torch.Tensor):
        yield leaf
    elif isinstance(leaf, torch.ScriptObject):
        with warnings.catch_warnings(), suppress(RuntimeError):  # some cannot be pickled
            warnings.simplefilter("ignore")  # torch deprecates the quantized tensors that it makes itself here
            yield from (one for one in tree_leaves(leaf.__getstate__()) if isinstance(one, torch.Tensor))


def _storages(tree: Any) -> Iterator[tuple[int, int]]:
    """Identity and bytes of the memory of each tensor; subclasses that have none are left out."""
    for leaf in tree_leaves(tree):
        if isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided:
            try:
                storage = leaf.untyped_storage()
            except (RuntimeError, NotImplementedError):
                continue
            yield storage._cdata, storage.nbytes()  # noqa: SLF001  # two tensors share memory where it is the same


def _users_frame(frame: FrameType | None, outside: FrameType) -> Place | None:
    """The innermost place in the user's code. Generated code has none."""
    while frame is not None and frame is not outside:
        if GENERATED in frame.f_globals and not frame.f_code.co_filename.startswith(TORCH):
            return None
        if is_users(frame.f_code.co_filename):
            return place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        frame = frame.f_back
    return None


def _suites() -> set[str]:
    """The folders of the suites that are loaded: that of this file, and that of a side which has its own."""
    modules: Mapping[str, Any] = sys.modules
    own = str(Path(__file__).parents[2])
    return {own, *(os.path.dirname(modules[name].__file__) for name in ("suite",) if name in modules)}  # noqa: PTH120


def _in_catalog(file: str, root: str) -> bool:
    return file.startswith(os.path.join(root, CATALOG) + os.sep)  # noqa: PTH118


def _near(file: str) -> str:
    """The file's path below the working folder, or its name alone."""
    here = os.getcwd() + os.sep  # noqa: PTH109
    return file.removeprefix(here) if file.startswith(here) else Path(file).name
