"""Whether users' code left the suite's own functions, the clocks and what the baseline runs as they were.

A user's module shares the process with what measures it. A mistake, or a simple cheat, may replace a check, a clock, or
a method that the baseline calls. This is no sandbox: code that sets out to hide itself can (docs/gate.md).
"""

from __future__ import annotations

import dis
import importlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from suite.core.errors import ImplausibleError

PACKAGE = "suite"
LOADED = time.time()
CLOCKS = ("perf_counter", "monotonic", "process_time", "thread_time", "perf_counter_ns", "time")
DECIDING = ("suite.bench.bench", "suite.bench.judging")  # what measures and what judges, with all that they import
PLAIN = (bool, int, float, str, bytes, tuple, frozenset, Mapping)
MISSING = object()


# -- the suite's own code ---------------------------------------------------------------------------------------------


def check_suite() -> None:
    """Raise `ImplausibleError` if a function or a constant of the suite, or a clock, is not what its file defines."""
    for name in CLOCKS:
        if getattr(time, name) is not _clocks[name] or type(_clocks[name]) is not BuiltinFunctionType:
            raise ImplausibleError(f"time.{name} has been replaced by {_told(getattr(time, name))}")
    for module in _own_modules():
        replaced = next(_replaced(module), None)
        if replaced is not None:
            name, by = replaced
            if _edited(module):
                raise ImplausibleError(
                    f"{module.__file__} was edited while this process ran, which loaded it before: nothing that it "
                    "says counts; run again"
                )
            raise ImplausibleError(
                f"{module.__name__}.{name} has been replaced by {_told(by)}: no measurement of this process counts; "
                "remove the assignment from the loaded module"
            )


def remember_constants(deciding: Sequence[str] = DECIDING) -> None:
    """Keep the suite's constants as they are before users' modules load; `check_suite` compares them with what is.

    Of records those are kept that hold functions, such as a clock: a budget of sampling, say, decides nothing.
    """
    for name in deciding:
        importlib.import_module(name)
    for module in _own_modules():
        limits = {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, PLAIN)}
        _constants[module.__name__] = limits
        _records[module.__name__] = {
            name: _fields(value) for name, value in vars(module).items() if name.isupper() and _has_functions(value)
        }


def remember_once(deciding: Sequence[str]) -> None:
    """As `remember_constants`, unless that was done already."""
    if not _constants:
        remember_constants(deciding)


def _fields(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name, MISSING) for one in fields(value)} if is_dataclass(value) else {}


def _has_functions(value: Any) -> bool:
    return not isinstance(value, type) and any(map(callable, _fields(value).values()))


_constants: dict[str, Mapping[str, Any]] = {}
_records: dict[str, Mapping[str, dict[str, Any]]] = {}
_clocks = {name: getattr(time, name) for name in CLOCKS}


def _edited(module: ModuleType) -> bool:
    """Whether its file is newer than this process; both ways the process is not believed."""
    with suppress(OSError):
        return bool(module.__file__) and Path(str(module.__file__)).stat().st_mtime > LOADED
    return False


def _own_modules() -> list[ModuleType]:
    return [
        module for name, module in list(sys.modules.items()) if isinstance(module, ModuleType) and _is_own(name, module)
    ]


def _is_own(name: str, module: ModuleType) -> bool:
    """Whether it is a module of the suite's, or the one that was started (``python -m suite...``)."""
    spec = getattr(module, "__spec__", None) if name == "__main__" else None
    own = name if spec is None else spec.name
    return own.split(".")[0] == PACKAGE and own != f"{PACKAGE}.bench.workers.worker"


def _replaced(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Names of the module, or of its classes, that hold another object than its file gives them.

    Functions are compared with their code, constants with what `remember_constants` kept.
    """
    for name, value in _constants.get(module.__name__, {}).items():
        if vars(module).get(name, MISSING) is not value:
            yield name, vars(module).get(name, MISSING)
    yield from _changed_records(module)
    code = _code_of(module)
    if code is None:
        return
    for name, source, attribute in _imports(code):
        ours, theirs = vars(module).get(name, MISSING), sys.modules.get(source)
        wanted = MISSING if theirs is None else vars(theirs).get(attribute, MISSING)
        if MISSING not in (ours, wanted) and ours is not wanted and callable(wanted):
            yield name, ours
    yield from _changed(vars(module), code, "")


def _changed_records(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, before in _records.get(module.__name__, {}).items():
        now = _fields(vars(module).get(name))
        for key, value in before.items():
            if now.get(key, MISSING) is not value:
                yield f"{name}.{key}", now.get(key, MISSING)


@cache
def _code_of(module: ModuleType) -> CodeType | None:
    """What its file defined when it was first looked at: somebody may edit it while the run goes on."""
    with suppress(ImportError, AttributeError, OSError):
        spec = module.__spec__
        code = spec.loader.get_code(spec.name) if spec and spec.loader else None  # type: ignore[attr-defined]  # a file's has
        return code if isinstance(code, CodeType) else None
    return None


@cache
def _imports(code: CodeType) -> tuple[tuple[str, str, str], ...]:
    """Name, module and attribute of each ``from suite... import`` and ``from time import``.

    They are found once, since a check follows each cell.
    """
    return tuple(_imported(code))


def _imported(code: CodeType) -> Iterator[tuple[str, str, str]]:
    source, attribute = "", ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            source = step.argval
        elif step.opname == "IMPORT_FROM":
            attribute = step.argval
        elif step.opname == "STORE_NAME" and attribute:
            if source.split(".")[0] in (PACKAGE, "time"):
                yield step.argval, source, attribute
            attribute = ""


def _changed(namespace: Mapping[str, Any], code: CodeType, prefix: str) -> Iterator[tuple[str, Any]]:
    """Functions of a namespace whose code is not what ``code``, of its module or class, holds under that name."""
    for constant in code.co_consts:
        if not isinstance(constant, CodeType) or constant.co_name not in namespace:
            continue
        name, value = constant.co_name, namespace[constant.co_name]
        if isinstance(value, type):
            yield from _changed(vars(value), constant, f"{prefix}{name}.")
        elif not any(_same(found, constant) for found in _codes(value)) and _names(code).count(name) == 1:
            yield f"{prefix}{name}", value


def _same(ours: CodeType, theirs: CodeType) -> bool:
    """Whether two functions do the same, wherever in a file they are."""
    return (ours.co_code, ours.co_names, ours.co_varnames) == (theirs.co_code, theirs.co_names, theirs.co_varnames)


def _names(code: CodeType) -> list[str]:
    """Of the functions and classes that the code defines; overloads and setters come several times."""
    return [constant.co_name for constant in code.co_consts if isinstance(constant, CodeType)]


def _codes(value: Any) -> Iterator[CodeType]:
    """The code of a function below its decorators."""
    seen = 0
    while value is not None and seen < 10:  # noqa: PLR2004  # nobody decorates that often
        seen += 1
        if isinstance(value, FunctionType):
            yield value.__code__
        if isinstance(value, MethodType | classmethod | staticmethod):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        elif isinstance(value, cached_property):
            value = value.func
        else:
            value = getattr(value, "__wrapped__", None)


def _told(value: Any) -> str:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    code = getattr(value, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if isinstance(code, CodeType) else ""
    return f"{module}.{name}{where}" if name else repr(value)


# -- what the baseline runs -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Methods:
    """The callables of all classes of networks, and of torch's functions, as they were at one time."""

    namespaces: Mapping[Any, Mapping[str, Any]]

    @classmethod
    def now(cls) -> Methods:
        """Of every class of modules that is loaded; of torch's own functions those that its compiler never replaces."""
        import torch

        owners = [*_subclasses(torch.nn.Module), torch.nn.functional, torch.Tensor]
        found = {owner: {name: v for name, v in vars(owner).items() if _is_called(name, v)} for owner in owners}
        found[torch] = {name: v for name, v in vars(torch).items() if isinstance(v, BuiltinFunctionType)}
        return cls(namespaces=found)

    def put_back(self, used: frozenset[Any]) -> str:
        """Undo what was replaced in the namespaces that are ``used``; say what it was, empty if nothing was."""
        told = []
        for owner, before in self.namespaces.items():
            for name, value in before.items() if owner in used else ():
                if vars(owner).get(name, MISSING) is not value:
                    told.append(f"{owner.__module__ if isinstance(owner, type) else ''}.{owner.__name__}.{name}")
                    setattr(owner, name, value)
        return ", ".join(told)


def _is_called(name: str, value: Any) -> bool:
    """Whether a call of a network may reach it; compilers replace how networks are made and unpickled."""
    return callable(value) and (not name.startswith("__") or name in ("__call__", "__getattr__", "__getattribute__"))


def _subclasses(kind: type) -> list[type]:
    found: set[type] = {kind}
    todo: list[type] = [kind]
    while todo:
        new: set[type] = set(type.__subclasses__(todo.pop())) - found
        found |= new
        todo += new
    return list(found)


def used_by(network: Any) -> frozenset[Any]:
    """The classes of a network's modules, with torch's own functions."""
    import torch

    kinds = {kind for module in network.modules() for kind in type(module).__mro__}
    return frozenset({*kinds, torch.nn.functional, torch.Tensor, torch})


@dataclass(frozen=True, kw_only=True)
class State:
    """What a network's answers and speed hang on: weights, hooks, and what its modules hold of their own."""

    weights: Mapping[str, Any]
    hooks: tuple[tuple[str, int], ...]
    own: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, network: Any) -> State:
        """The state now; weights by their versions and addresses would move, so by a digest."""
        return cls(
            weights={name: _digest(value) for name, value in _tensors(network)},
            hooks=tuple((name, _hooks(module)) for name, module in network.named_modules()),
            own=tuple(
                (name, tuple(sorted(key for key, value in vars(module).items() if callable(value))))
                for name, module in network.named_modules()
            ),
        )

    def difference(self, other: State, moving: frozenset[str] = frozenset()) -> str:
        """What differs, for a message; empty if nothing does. Of the tensors ``moving`` the values may."""
        changed = [n for n, value in self.weights.items() if other.weights.get(n) != value and n not in moving]
        changed += [name for name in other.weights if name not in self.weights]
        if changed:
            return f"its weights changed ({changed[0]}{', ...' if len(changed) > 1 else ''})"
        if self.hooks != other.hooks:
            return "hooks were registered on it or removed"
        return "methods of its modules were replaced" if self.own != other.own else ""


def _tensors(network: Any) -> Iterator[tuple[str, Any]]:
    yield from network.named_parameters()
    yield from network.named_buffers()


def _digest(tensor: Any) -> object:
    import hashlib

    from suite.measure.integrity.outputs import bits

    try:
        raw = bits(tensor.detach().cpu()).numpy()
    except (RuntimeError, TypeError, NotImplementedError):  # a subclass that has no bytes of its own
        return tuple(tensor.shape)
    return hashlib.blake2b(raw.data, digest_size=16).digest()


def _hooks(module: Any) -> int:
    """How many hooks a module has, of any kind."""
    return sum(
        len(value) for key, value in vars(module).items() if key.endswith("_hooks") and hasattr(value, "__len__")
    )


def check_baseline(
    network: Any, before: State, methods: Methods, technique: str, moving: frozenset[str] = frozenset()
) -> None:
    """Raise `ImplausibleError` if ``technique`` changed the baseline's ``network``, or a method that it calls.

    Values of the tensors ``moving`` count for nothing: every call of the untouched network changes them (a counter).
    Methods are put back, so that the cells after it are measured as if nothing had happened.
    """
    replaced = methods.put_back(used_by(network))
    told = f"it replaced {replaced}" if replaced else before.difference(State.of(network), moving)
    if told:
        raise ImplausibleError(
            f"{technique} changed the network that it is compared with: {told}; work on the network that the technique "
            "is given, and on copies of others"
        )
