"""Workloads and techniques by name, and the one meaning of a composition's text.

`@workload` and `@technique` put a declaration into the registry when its module is imported; the built-in modules
are imported when a name is first looked up, so that importing the suite stays cheap.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from suite.composition import BASELINE, Member, join, parse
from suite.errors import CompositionError, RegistrationError, SetupError, SuiteError, UsageError, unknown
from suite.training.recipe import Recipe

TRAINING_SLOTS = (
    "data",
    "model",
    "batches",
    "optimizer",
    "schedule",
    "loss",
    "layout",
    "precision",
    "callbacks",
    "prepare",
)
SERVING_SLOTS = ("finish", "quantize", "deploy")  # in the order in which they happen, after training
SLOTS = TRAINING_SLOTS + SERVING_SLOTS
FROM_FILE = "tradeoff_suite_user_"  # names of modules that were loaded from a file
EXCLUSIVE_SLOTS = frozenset({"data", "optimizer", "layout", "precision", "quantize"})  # one owner in a composition


@dataclass(frozen=True, kw_only=True)
class Technique:
    """A function ``Recipe -> Recipe`` with what it touches and needs.

    ``needs`` are capabilities of the device or workload (``compiler``, ``labels``, ``bf16``, ``fp16``, ...);
    ``control`` is a composition in which ``{parameter}`` stands for this technique's value; ``runs`` says whether the
    default profile runs it.
    """

    name: str
    function: Callable[..., Recipe]
    slots: tuple[str, ...]
    control: str = BASELINE
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    runs: bool = True

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The technique's own parameters in signature order; each has a default."""
        own = list(inspect.signature(self.function).parameters.items())[1:]
        return dict(own)

    @property
    def where(self) -> str:
        return _where(self.function)

    @property
    def about(self) -> str:
        return _first_line(self.function)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Data, model, metric and baseline recipe under one name.

    ``recipe(seed)`` gives the plain recipe. ``labels`` is false where the data carry no meaning, so that only speed,
    size and memory are measured. ``batch`` is the serving batch of timings by device type (``cpu``, else
    ``accelerator``). ``techniques`` limits what runs by default; any composition can still be asked for. ``digest``
    names the data: stored quality applies to the same digest only (hash what was read, not floats computed from it,
    whose last bits differ between machines).
    """

    name: str
    recipe: Callable[[int], Recipe]
    labels: bool = True
    target: float | None = None
    batch: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"cpu": 64, "accelerator": 64}))
    techniques: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    quick: bool = True
    digest: Callable[[], str] | None = None

    @property
    def where(self) -> str:
        return _where(self.recipe)

    @property
    def about(self) -> str:
        return _first_line(self.recipe)


@dataclass(frozen=True, kw_only=True)
class Composition:
    """A resolved composition: techniques with all their parameters, in the order in which they apply."""

    name: str
    members: tuple[tuple[Technique, Mapping[str, Any]], ...]

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(slot for technique, _ in self.members for slot in technique.slots)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(need for technique, _ in self.members for need in technique.needs))

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe after every member has changed its slots, left to right."""
        for technique, parameters in self.members:
            recipe = technique.function(recipe, **parameters)
        return recipe


class Registry:
    """Workloads and techniques by name. A second registration of a name is an error."""

    def __init__(self, *, builtin: bool = False) -> None:
        self._techniques: dict[str, Technique] = {}
        self._workloads: dict[str, Workload] = {}
        self._builtin_pending = builtin
        self._loading = False

    # -- declarations -------------------------------------------------------------------------------------------

    def technique(
        self,
        *,
        slots: Iterable[str],
        control: str = BASELINE,
        sweep: Mapping[str, Iterable[Any]] | None = None,
        needs: Iterable[str] = (),
        conflicts: Iterable[str] = (),
        runs: bool = True,
    ) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
        """Declare ``function(recipe, *, parameter=default, ...) -> Recipe`` as a technique of its own name.

        ``slots`` are the recipe's fields that it replaces, ``control`` the composition that its quality is compared
        with, ``sweep`` the values that the full profile runs.
        """

        def register(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
            declared = Technique(
                name=function.__name__,
                function=function,
                slots=tuple(slots),
                control=control,
                sweep={key: tuple(values) for key, values in (sweep or {}).items()},
                needs=tuple(needs),
                conflicts=tuple(conflicts),
                runs=runs,
            )
            _check_technique(declared)
            self._add(self._techniques, "technique", declared)
            return function

        return register

    def workload(
        self,
        *,
        labels: bool = True,
        target: float | None = None,
        batch: Mapping[str, int] | None = None,
        techniques: Iterable[str] | None = None,
        needs: Iterable[str] = (),
        quick: bool = True,
        digest: Callable[[], str] | None = None,
    ) -> Callable[[Callable[[int], Recipe]], Callable[[int], Recipe]]:
        """Declare ``function(seed) -> Recipe`` as a workload of its own name; see `Workload` for the parameters."""

        def register(function: Callable[[int], Recipe]) -> Callable[[int], Recipe]:
            sizes = {"cpu": 64, "accelerator": 64} | dict(batch or {})
            declared = Workload(
                name=function.__name__,
                recipe=function,
                labels=labels,
                target=target,
                batch=MappingProxyType(sizes),
                techniques=None if techniques is None else tuple(techniques),
                needs=tuple(needs),
                quick=quick,
                digest=digest,
            )
            self._add(self._workloads, "workload", declared)
            return function

        return register

    def _add(self, table: dict[str, Any], kind: str, declared: Technique | Workload) -> None:
        if not self._loading:
            self._load_builtin()  # so that a clash with a built-in is found where the user's line is
        if declared.name in table:
            first = table[declared.name].where
            raise RegistrationError(
                f"{kind} {declared.name!r} is registered twice: first at {first}, again at {declared.where}; "
                "rename one of the two functions"
            )
        table[declared.name] = declared

    # -- look-up ------------------------------------------------------------------------------------------------

    @property
    def techniques(self) -> Mapping[str, Technique]:
        """All techniques by name."""
        self._load_builtin()
        return MappingProxyType(self._techniques)

    @property
    def workloads(self) -> Mapping[str, Workload]:
        """All workloads by name."""
        self._load_builtin()
        return MappingProxyType(self._workloads)

    def find_technique(self, name: str) -> Technique:
        """The technique called ``name``, or an error that lists the nearest ones."""
        try:
            return self.techniques[name]
        except KeyError:
            raise unknown("technique", name, self.techniques) from None

    def find_workload(self, name: str) -> Workload:
        """The workload called ``name``, or an error that lists the nearest ones."""
        try:
            return self.workloads[name]
        except KeyError:
            raise unknown("workload", name, self.workloads) from None

    def resolve(self, text: str) -> Composition:
        """Parse ``text``, fill in defaults, and check parameters, slots and conflicts."""
        members = [(self.find_technique(member.name), member) for member in parse(text)]
        bound = [(found, _bind(found, member)) for found, member in members]
        resolved = tuple((found, parameters) for found, parameters in bound if found.name != BASELINE)
        name = join(_spelled(resolved))
        composition = Composition(name=name, members=resolved)
        _check_order(composition)
        _check_conflicts(composition)
        return composition

    def canonical(self, text: str) -> str:
        """The one spelling of a composition: every parameter, in signature order."""
        return self.resolve(text).name

    def control(self, text: str) -> str:
        """The canonical control of a composition: the composition of the members' controls, equal ones once."""
        controls = (found.control.format(**bound) for found, bound in self.resolve(text).members)
        members = dict.fromkeys(member for control in controls for member in parse(control))
        return self.canonical(join(members))

    def training_part(self, text: str) -> str:
        """The canonical composition of the members that change training itself, not only what follows it."""
        composition = self.resolve(text)
        kept = [member for member in composition.members if not set(member[0].slots) <= set(SERVING_SLOTS)]
        return join(_spelled(kept))

    def variants(self, name: str, *, sweep: bool) -> list[str]:
        """Canonical names of a technique's default and, for ``sweep``, of every combination of its sweep."""
        found = self.find_technique(name)
        grid = [dict(zip(found.sweep, values, strict=True)) for values in product(*found.sweep.values())]
        chosen = [{}, *grid] if sweep else [{}]
        names = (self.canonical(str(Member(name=name, parameters=tuple(values.items())))) for values in chosen)
        return list(dict.fromkeys(names))

    # -- modules ------------------------------------------------------------------------------------------------

    def load(self, target: str) -> None:
        """Import a user's module, by dotted name or by path of a ``.py`` file, for its declarations."""
        try:
            if target.endswith(".py"):
                _import_file(Path(target))
            else:
                importlib.import_module(target)
        except SuiteError:
            raise
        except ModuleNotFoundError as error:
            raise SetupError(
                f"cannot load {target!r}: {error}; list importable modules or .py files in [tool.tradeoff-suite] load"
            ) from error
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            raise SetupError(f"cannot load {target!r}: {type(error).__name__}: {error} [{where}]") from error

    def user_modules(self) -> list[str]:
        """Modules (or files) outside the suite that declared something: what a child process has to load."""
        here = Path(__file__).parent
        functions = [t.function for t in self.techniques.values()] + [w.recipe for w in self.workloads.values()]
        users = [function for function in functions if here not in Path(inspect.getfile(function)).resolve().parents]
        return list(dict.fromkeys(_importable(function) for function in users))

    def _load_builtin(self) -> None:
        if not self._builtin_pending or self._loading:
            return
        self._loading = True
        try:
            for package in ("suite.workloads", "suite.techniques"):
                for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
                    importlib.import_module(f"{package}.{module.name}")
            self._builtin_pending = False
        finally:
            self._loading = False


def _import_file(path: Path) -> None:
    resolved = path.resolve()
    if any(getattr(module, "__file__", None) == str(resolved) for module in list(sys.modules.values())):
        return
    if not resolved.is_file():
        raise SetupError(f"cannot load {str(path)!r}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"{FROM_FILE}{resolved.stem}_{abs(hash(resolved))}", resolved)
    if spec is None or spec.loader is None:
        raise SetupError(f"cannot load {str(path)!r}: it is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]  # otherwise the next load would take the half of it for the whole
        raise


def _importable(function: Callable[..., Any]) -> str:
    """The module's dotted name if an import finds it by that name (relative imports need it), else its file."""
    file, name = str(Path(inspect.getfile(function)).resolve()), function.__module__
    spec = getattr(sys.modules.get(name), "__spec__", None)
    top_level = importlib.machinery.PathFinder.find_spec(name.partition(".")[0])  # as a child process would look
    found = top_level is not None and spec is not None and str(Path(spec.origin or "").resolve()) == file
    by_name = found and not name.startswith(FROM_FILE) and name != "conftest"
    return name if by_name else file


def _spelled(members: Iterable[tuple[Technique, Mapping[str, Any]]]) -> Iterator[Member]:
    return (Member(name=found.name, parameters=tuple(bound.items())) for found, bound in members)


def _bind(found: Technique, member: Member) -> dict[str, Any]:
    given = dict(member.parameters)
    for name in given:
        if name not in found.parameters:
            raise unknown(f"parameter of {found.name}", name, found.parameters)
    return {
        name: _convert(found, name, given[name], parameter.default) if name in given else parameter.default
        for name, parameter in found.parameters.items()
    }


def _convert(found: Technique, name: str, value: Any, default: Any) -> Any:
    """``value`` as the type of the default; an int serves where a float is meant, nothing else is bent."""
    wanted = type(default)
    if wanted is float and type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    if type(value) is not wanted:
        raise UsageError(f"{found.name}({name}={value!r}): {name} must be {wanted.__name__}, as in {name}={default!r}")
    return value


def _check_technique(declared: Technique) -> None:
    for slot in declared.slots:
        if slot not in SLOTS:
            raise RegistrationError(f"technique {declared.name!r} at {declared.where}: {unknown('slot', slot, SLOTS)}")
    for name, parameter in declared.parameters.items():
        if parameter.default is inspect.Parameter.empty or not isinstance(parameter.default, bool | int | float | str):
            raise RegistrationError(
                f"technique {declared.name!r} at {declared.where}: parameter {name!r} needs a default that is a "
                "number, a text or a truth value"
            )
    for name in declared.sweep:
        if name not in declared.parameters:
            raise RegistrationError(
                f"technique {declared.name!r} at {declared.where}: sweep: "
                f"{unknown('parameter', name, declared.parameters)}"
            )


def _check_order(composition: Composition) -> None:
    """Members that change what follows training must stand in the order in which that happens."""
    stages = [(found, _stage(found)) for found, _ in composition.members]
    staged = [(found, stage) for found, stage in stages if stage is not None]
    for (before, early), (after, late) in pairwise(staged):
        if early > late:
            ordered = join(_spelled(sorted(composition.members, key=lambda member: _stage(member[0]) or 0)))
            raise CompositionError(
                f"{composition.name}: {after.name} changes {SERVING_SLOTS[late]!r}, which happens before "
                f"{SERVING_SLOTS[early]!r} of {before.name}; write {ordered}"
            )


def _stage(found: Technique) -> int | None:
    stages = [SERVING_SLOTS.index(slot) for slot in found.slots if slot in SERVING_SLOTS]
    return max(stages) if stages else None


def _check_conflicts(composition: Composition) -> None:
    owners: dict[str, str] = {}
    names = [found.name for found, _ in composition.members]
    for found, _ in composition.members:
        for other in found.conflicts:
            if other in names:
                raise CompositionError(f"{composition.name}: {found.name} cannot be combined with {other}")
        for slot in EXCLUSIVE_SLOTS.intersection(found.slots):
            if slot in owners:
                raise CompositionError(
                    f"{composition.name}: {owners[slot]} and {found.name} both replace {slot!r}; use one of them"
                )
            owners[slot] = found.name


def _where(function: Callable[..., Any]) -> str:
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


REGISTRY = Registry(builtin=True)
technique = REGISTRY.technique
workload = REGISTRY.workload
