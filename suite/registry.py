"""Workloads and techniques by name, and the one meaning of a composition's text.

`@workload` and `@technique` put a declaration into the registry when its module is imported; the built-in modules
are imported when a name is first looked up, so that importing the suite stays cheap.
"""

from __future__ import annotations

import hashlib
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
from typing import TYPE_CHECKING, Any, Literal

from suite.composition import BASELINE, Member, join, parse
from suite.errors import CompositionError, RegistrationError, SetupError, SuiteError, UsageError, unknown
from suite.metrics import declare_score
from suite.training.recipe import AFTER_TRAINING, SLOTS, STAGES, Recipe, changed_slots

if TYPE_CHECKING:
    from suite.scores import Score

FROM_FILE = "tradeoff_suite_user_"  # names of modules that were loaded from a file
EXCLUSIVE_SLOTS = frozenset({"data", "optimizer", "layout", "precision", "quantize"})  # one owner in a composition
SOURCES = ("train", "checkpoint", "none")
Source = Literal["train", "checkpoint", "none"]
SERVING_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Technique:
    """A function ``Recipe -> Recipe`` with what it touches and needs.

    ``needs`` are capabilities of the device or the workload (``compiler``, ``bf16``, ``training``, ``images``, ...);
    ``control`` is a composition in which ``{parameter}`` stands for this technique's value; ``runs`` says whether the
    default profile runs it. ``precision`` is what the network computes in (``bf16``); ``--precision bf16`` composes
    every cell with all techniques that say so.
    """

    name: str
    function: Callable[..., Recipe]
    slots: tuple[str, ...]
    control: str = BASELINE
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    runs: bool = True
    precision: str | None = None

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
    """Data, network, scores and baseline recipe under one name.

    ``recipe(seed)`` gives the plain recipe. ``source`` says where the trained network comes from: ``train``, the
    recipe's ``model`` itself (``checkpoint``), or nowhere (``none``: the data carry no meaning, so that only speed,
    size, memory and the agreement of outputs are measured). ``scores`` are its qualities, the primary one first;
    ``target`` is a validation value of that one whose training time is measured. ``batch`` is the serving batch of
    timings by device type (``cpu``, else ``accelerator``). ``techniques`` limits what runs by default to these names
    and compositions; any other can still be asked for. ``quick`` and ``default`` say whether such runs hold it where no
    workload is named; `--full` holds all. ``digest`` names the data: stored quality applies to the same
    digest only (hash what was read, not floats computed from it, whose last bits differ between machines). Data that an
    environment brings, such as Python's own sources, are named with it: ``cpython-3.11.7:5868b1c2f24ac8da``.
    """

    name: str
    recipe: Callable[[int], Recipe]
    source: Source = "train"
    scores: tuple[Score, ...] = ()
    target: float | None = None
    batch: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    techniques: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    quick: bool = True
    default: bool = True
    digest: Callable[[], str] | None = None

    @property
    def trains(self) -> bool:
        """Whether a network can learn from the data."""
        return self.source != "none"

    @property
    def primary(self) -> Score | None:
        """The score that tables show first."""
        return self.scores[0] if self.scores else None

    def batch_on(self, device: str) -> int:
        """Items of a served batch on a device such as ``cpu`` or ``cuda:1``."""
        return self.batch.get("cpu" if device.startswith("cpu") else "accelerator", SERVING_BATCH)

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

    def __str__(self) -> str:
        return self.name

    @property
    def is_baseline(self) -> bool:
        return not self.members

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(slot for technique, _ in self.members for slot in technique.slots)

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(need for technique, _ in self.members for need in technique.needs))

    @property
    def precision(self) -> str:
        """What the network computes in, ``fp32`` unless a member says otherwise; the last one counts."""
        return next((found.precision for found, _ in reversed(self.members) if found.precision), "fp32")

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe after every member has changed its slots, left to right.

        Raises `RegistrationError` for a member that changed a slot which it does not declare: the cell would share
        the training of another one, and show its figures.
        """
        for technique, parameters in self.members:
            changed = technique.function(recipe, **parameters)
            _check_changes(technique, recipe, changed)
            recipe = changed
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
        precision: str | None = None,
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
                precision=precision,
            )
            _check_technique(declared)
            self._add(self._techniques, "technique", declared)
            return function

        return register

    def workload(
        self,
        *,
        scores: Iterable[Score] = (),
        source: Source = "train",
        target: float | None = None,
        batch: int | Mapping[str, int] | None = None,
        techniques: Iterable[str] | None = None,
        needs: Iterable[str] = (),
        quick: bool = True,
        default: bool = True,
        digest: Callable[[], str] | None = None,
    ) -> Callable[[Callable[[int], Recipe]], Callable[[int], Recipe]]:
        """Declare ``function(seed) -> Recipe`` as a workload of its own name; see `Workload` for the parameters."""

        def register(function: Callable[[int], Recipe]) -> Callable[[int], Recipe]:
            sizes = {"cpu": batch, "accelerator": batch} if isinstance(batch, int) else dict(batch or {})
            declared = Workload(
                name=function.__name__,
                recipe=function,
                source=source,
                scores=tuple(scores),
                target=target,
                batch=MappingProxyType(sizes),
                techniques=None if techniques is None else tuple(techniques),
                needs=tuple(needs),
                quick=quick,
                default=default,
                digest=digest,
            )
            _check_workload(declared)
            for score in declared.scores:  # first: a score that clashes leaves no workload behind
                declare_score(score.name, unit=score.unit, better=score.better, about=score.about)
            self._add(self._workloads, "workload", declared)
            return function

        return register

    def _add(self, table: dict[str, Any], kind: str, declared: Technique | Workload) -> None:
        if not self._loading and not _is_builtin(declared):
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

    @property
    def baseline(self) -> Composition:
        """The composition of nothing."""
        return Composition(name=BASELINE, members=())

    def canonical(self, text: str) -> str:
        """The one spelling of a composition: every parameter, in signature order."""
        return self.resolve(text).name

    def control(self, composition: Composition) -> Composition:
        """What the quality of a composition is compared with: the members' controls composed.

        Equal ones count once, but for those of members that change ``finish``: epochs of fine-tuning add up.
        """
        members: list[Member] = []
        for found, bound in composition.members:
            adds_up = "finish" in found.slots
            own = parse(found.control.format(**bound))
            members += [member for member in own if adds_up or member not in members]
        return self.resolve(join(members))

    def training_part(self, composition: Composition) -> Composition:
        """The members that change training itself, not only what follows it."""
        kept = [member for member in composition.members if not set(member[0].slots) <= set(AFTER_TRAINING)]
        return self.resolve(join(_spelled(kept)))

    def stage(self, text: str) -> int:
        """When what a composition does happens: 0 up to ``finish``, then 1 and 2 for ``quantize`` and ``deploy``."""
        return max((_stage(found) or 0 for found, _ in self.resolve(text).members), default=0)

    def of_precision(self, precision: str) -> tuple[str, ...]:
        """The names of the techniques that make a network compute in ``precision``; none for ``fp32``.

        Raises `UsageError` for a precision that no technique brings.
        """
        known = {found.precision: None for found in self.techniques.values() if found.precision}
        if precision != "fp32" and precision not in known:
            raise unknown("precision", precision, ("fp32", *map(str, known)))
        return tuple(found.name for found in self.techniques.values() if found.precision == precision)

    def variants(self, name: str, *, sweep: bool) -> list[str]:
        """Canonical names of a technique's default and, for ``sweep``, of every combination of its sweep.

        A composition with parameters or several members is itself only.
        """
        members = parse(name)
        if len(members) > 1 or members[0].parameters:
            return [self.canonical(name)]
        found = self.find_technique(members[0].name)
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
        except SuiteError as error:
            if ".py:" in str(error):
                raise
            raise SetupError(f"cannot load {target!r}: {error} [{_raised_at(error)}]") from error
        except ModuleNotFoundError as error:
            raise SetupError(
                f"cannot load {target!r}: {error}; list importable modules or .py files in [tool.tradeoff-suite] load"
            ) from error
        except Exception as error:
            raise SetupError(
                f"cannot load {target!r}: {type(error).__name__}: {error} [{_raised_at(error)}]"
            ) from error

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
    spec = importlib.util.spec_from_file_location(
        f"{FROM_FILE}{resolved.stem}_{_short_digest(str(resolved))}", resolved
    )
    if spec is None or spec.loader is None:
        raise SetupError(f"cannot load {str(path)!r}: it is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]  # otherwise the next load would take the half of it for the whole
        raise


def _short_digest(text: str) -> str:
    """The same in every process, unlike `hash`: a worker finds a class under the name that its parent sent."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _raised_at(error: BaseException) -> str:
    """The last place outside the suite where an error came from."""
    here = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    outside = [f for f in frames if not f.filename.startswith((here, "<frozen"))] or list(frames)
    return f"{outside[-1].filename}:{outside[-1].lineno}"


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


def _check_changes(technique: Technique, before: Recipe, after: Any) -> None:
    if not isinstance(after, Recipe):
        raise RegistrationError(
            f"technique {technique.name!r} at {technique.where} must return a Recipe, it returned {after!r}; "
            "end it with `return replace(recipe, ...)`"
        )
    undeclared = [slot for slot in changed_slots(before, after) if slot not in technique.slots]
    if undeclared:
        slots = ", ".join(repr(slot) for slot in (*technique.slots, *undeclared))
        raise RegistrationError(
            f"technique {technique.name!r} at {technique.where} changes {', '.join(undeclared)} of the recipe without "
            f"declaring it; write @technique(slots=({slots},), ...)"
        )


def _check_workload(declared: Workload) -> None:
    at = f"workload {declared.name!r} at {declared.where}"
    if declared.source not in SOURCES:
        raise RegistrationError(f"{at}: {unknown('source', declared.source, SOURCES)}")
    if declared.trains and not declared.scores:
        raise RegistrationError(
            f"{at} has no score: declare one, as in @workload(scores=classification()), or say source='none' if its "
            "data carry no meaning"
        )
    names = [score.name for score in declared.scores]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RegistrationError(f"{at} has two scores called {twice!r}; give one of them another name")
    if declared.scores and not declared.trains:
        raise RegistrationError(f"{at} has scores, but nothing is trained (source='none'); remove one of the two")
    if declared.target is not None and declared.source != "train":
        raise RegistrationError(f"{at} has a target, but is not trained here (source={declared.source!r})")
    for kind, size in declared.batch.items():
        if kind not in ("cpu", "accelerator") or not isinstance(size, int) or size < 1:
            raise RegistrationError(
                f"{at}: batch must be a number of items, or {{'cpu': 64, 'accelerator': 64}}, got {kind!r}: {size!r}"
            )


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
    _check_control(declared)
    for name in declared.sweep:
        if name not in declared.parameters:
            raise RegistrationError(
                f"technique {declared.name!r} at {declared.where}: sweep: "
                f"{unknown('parameter', name, declared.parameters)}"
            )


def _check_control(declared: Technique) -> None:
    """A control that cannot be spelled out would end every run with a traceback, not this technique's cells alone."""
    defaults = {name: parameter.default for name, parameter in declared.parameters.items()}
    try:
        parse(declared.control.format(**defaults))
    except (LookupError, ValueError, AttributeError) as error:
        raise RegistrationError(
            f"technique {declared.name!r} at {declared.where}: control={declared.control!r} must be a composition, "
            f"with {{parameter}} for a value of the technique's own ({', '.join(defaults) or 'it has none'})"
        ) from error


def _check_order(composition: Composition) -> None:
    """Members that change what follows training must stand in the order in which that happens.

    One that changes several stages may stand before what changes its first: both finish, then it quantizes.
    """
    staged = [(found, stages) for found, _ in composition.members if (stages := _stages(found))]
    for (before, earlier), (after, later) in pairwise(staged):
        early, late = min(earlier), max(later)
        if early > late:
            ordered = join(_spelled(sorted(composition.members, key=lambda member: _stage(member[0]) or 0)))
            raise CompositionError(
                f"{composition.name}: {after.name} changes {STAGES[late]!r}, which happens before "
                f"{STAGES[early]!r} of {before.name}; write {ordered}"
            )


def _stages(found: Technique) -> list[int]:
    return [STAGES.index(slot) for slot in found.slots if slot in STAGES]


def _stage(found: Technique) -> int | None:
    return max(_stages(found), default=None)


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


def _is_builtin(declared: Technique | Workload) -> bool:
    """Whether a module of the suite declares it: one may import what another one has beside its declaration."""
    function = declared.function if isinstance(declared, Technique) else declared.recipe
    return (function.__module__ or "").partition(".")[0] == "suite"  # what exec() defines has none


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


REGISTRY = Registry(builtin=True)
technique = REGISTRY.technique
workload = REGISTRY.workload
