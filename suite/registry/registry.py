"""Workloads and techniques by name, and the one meaning of a composition's text.

`@workload` and `@technique` put a declaration into the registry when its module is imported; the built-in modules
are imported when a name is first looked up, so that importing the suite stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suite.core.composition import BASELINE, TechniqueCall, join, parse
from suite.core.errors import RegistrationError, unknown
from suite.core.metrics import declare_score
from suite.core.records import GROUPS, Group
from suite.registry import modules
from suite.registry.compose import Composition, bind, check_conflicts, check_order, spelled
from suite.registry.compose import stage as stage_of
from suite.registry.declarations import (
    Family,
    Need,
    Source,
    Technique,
    Workload,
    check_is_function,
    check_technique,
    check_workload,
    slots_of,
)
from suite.training.recipe import AFTER_TRAINING, Recipe

if TYPE_CHECKING:
    from suite.catalog.scores import Score
    from suite.training.invariants import Invariant


class Registry:
    """Workloads and techniques by name. A second registration of a name is an error."""

    def __init__(self, *, builtin: bool = False) -> None:
        self._techniques: dict[str, Technique] = {}
        self._workloads: dict[str, Workload] = {}
        self._families: dict[str, Family] = {}
        self._builtin_pending = builtin
        self._loading = False

    # -- declarations -------------------------------------------------------------------------------------------

    def technique(
        self,
        *,
        slots: Iterable[str],
        control: str = BASELINE,
        sweep: Mapping[str, Iterable[Any]] | None = None,
        needs: Iterable[Need] = (),
        conflicts: Iterable[str] = (),
        runs: bool = True,
        quick: bool = True,
        family: str = "other",
        precision: str | None = None,
        sizes_follow_weights: Iterable[str] = (),
        promises: Callable[..., Invariant] | None = None,
    ) -> Callable[[Callable[..., Recipe]], Callable[..., Recipe]]:
        """Declare ``function(recipe, *, parameter=default, ...) -> Recipe`` as a technique of its own name.

        ``slots`` are the recipe's fields that it replaces, ``control`` the composition that its quality is compared
        with, ``sweep`` the values that the full profile runs; see `Technique` for the rest.
        """

        def register(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
            check_is_function("technique", function, "(recipe)")
            declared = Technique(
                name=function.__name__, function=function, slots=slots_of(slots, function), control=control,
                sweep={key: tuple(values) for key, values in (sweep or {}).items()}, needs=tuple(needs),
                conflicts=tuple(conflicts), runs=runs, quick=quick, family=family, precision=precision,
                sizes_follow_weights=tuple(sizes_follow_weights), promises=promises,
            )  # fmt: skip
            check_technique(declared)
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
        techniques: Iterable[str] | Mapping[str, Iterable[str]] | None = None,
        needs: Iterable[Need] = (),
        quick: bool | Mapping[str, bool] = True,
        default: bool | Mapping[str, bool] = True,
        full: bool = True,
        groups: Iterable[Group] | Mapping[str, Iterable[Group]] = GROUPS,
        digest: Callable[[], str] | None = None,
    ) -> Callable[[Callable[[int], Recipe]], Callable[[int], Recipe]]:
        """Declare ``function(seed) -> Recipe`` as a workload of its own name; see `Workload` for the parameters."""

        def register(function: Callable[[int], Recipe]) -> Callable[[int], Recipe]:
            check_is_function("workload", function, "(seed)")
            sizes = {"cpu": batch, "accelerator": batch} if isinstance(batch, int) else dict(batch or {})
            declared = Workload(
                name=function.__name__, recipe=function, source=source, scores=tuple(scores), target=target,
                batch=MappingProxyType(sizes), techniques=None if techniques is None else _tuples(techniques),
                needs=tuple(needs), quick=quick, default=default, full=full, groups=_tuples(groups), digest=digest,
            )  # fmt: skip
            check_workload(declared)
            for score in declared.scores:  # first: a score that clashes leaves no workload behind
                declare_score(score.name, unit=score.unit, better=score.better, about=score.about)
            self._add(self._workloads, "workload", declared)
            return function

        return register

    def family(self, declared: Family) -> None:
        """Declare workloads that exist by name alone. Raises `RegistrationError` for a prefix that is taken."""
        if declared.prefix in self._families:
            raise RegistrationError(f"workloads called {declared.prefix}* are declared twice; choose another prefix")
        self._families[declared.prefix] = declared

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

    @property
    def families(self) -> tuple[Family, ...]:
        """All families of workloads that are declared when they are asked for."""
        self._load_builtin()
        return tuple(self._families.values())

    def find_technique(self, name: str) -> Technique:
        """The technique called ``name``, or an error that lists the nearest ones."""
        try:
            return self.techniques[name]
        except KeyError:
            raise unknown("technique", name, self.techniques) from None

    def find_workload(self, name: str) -> Workload:
        """The workload called ``name``, declared now if a family has it, or an error that lists the nearest ones."""
        if name not in self.workloads:
            self._declare_of_family(name)
        return self.workloads[name]

    def _declare_of_family(self, name: str) -> None:
        others: list[str] = []
        for family in self.families:
            if name.startswith(family.prefix):
                others += [family.prefix + one for one in family.names()]
                if name in others:
                    return family.declare(name.removeprefix(family.prefix))
        raise unknown("workload", name, {*self.workloads, *others})

    def resolve(self, text: str) -> Composition:
        """Parse ``text``, fill in defaults, and check parameters, slots and conflicts."""
        members = [(self.find_technique(member.name), member) for member in parse(text)]
        bound = [(found, bind(found, member)) for found, member in members]
        resolved = tuple((found, parameters) for found, parameters in bound if found.name != BASELINE)
        name = join(spelled(resolved))
        composition = Composition(name=name, members=resolved)
        check_order(composition)
        check_conflicts(composition)
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
        members: list[TechniqueCall] = []
        for found, bound in composition.members:
            adds_up = "finish" in found.slots
            own = parse(found.control.format(**bound))
            members += [member for member in own if adds_up or member not in members]
        return self.resolve(join(members))

    def training_part(self, composition: Composition) -> Composition:
        """The members that change training itself, not only what follows it."""
        kept = [member for member in composition.members if not set(member[0].slots) <= set(AFTER_TRAINING)]
        return self.resolve(join(spelled(kept)))

    def stage(self, text: str) -> int:
        """When what a composition does happens: 0 up to ``finish``, then 1 and 2 for ``quantize`` and ``deploy``."""
        return max((stage_of(found) or 0 for found, _ in self.resolve(text).members), default=0)

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
        names = (self.canonical(str(TechniqueCall(name=name, parameters=tuple(values.items())))) for values in chosen)
        return list(dict.fromkeys(names))

    # -- modules ------------------------------------------------------------------------------------------------

    def load(self, target: str) -> None:
        """Import a user's module, by dotted name or by path of a ``.py`` file, for its declarations."""
        modules.load(target)

    def user_modules(self) -> list[str]:
        """Modules (or files) outside the suite that declared something: what a child process has to load."""
        functions = [t.function for t in self.techniques.values()] + [w.recipe for w in self.workloads.values()]
        return modules.of_users(functions)

    def _load_builtin(self) -> None:
        if not self._builtin_pending or self._loading:
            return
        self._loading = True
        try:
            modules.load_builtin()
            self._builtin_pending = False
        finally:
            self._loading = False


def _tuples(declared: Any) -> Any:
    """Names as a tuple, or by device type as tuples."""
    if isinstance(declared, Mapping):
        return MappingProxyType({kind: tuple(names) for kind, names in declared.items()})
    return tuple(declared)


def _is_builtin(declared: Technique | Workload) -> bool:
    """Whether a module of the suite declares it: one may import what another one has beside its declaration."""
    function = declared.function if isinstance(declared, Technique) else declared.recipe
    return (function.__module__ or "").partition(".")[0] == "suite"  # what exec() defines has none


REGISTRY = Registry(builtin=True)
technique = REGISTRY.technique
workload = REGISTRY.workload
workload_family = REGISTRY.family
