"""What is declared under one name: a technique, or a workload; a declaration that cannot work is refused at once."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from suite.core.composition import BASELINE, parse
from suite.core.errors import RegistrationError, unknown
from suite.core.records import GROUPS, Group
from suite.training.forms import Form
from suite.training.recipe import SERIALIZE, SLOTS, Recipe, Splits
from suite.training.surgery.adapting import adapted

if TYPE_CHECKING:
    from suite.catalog.scores import Score
    from suite.training.invariants import Invariant

SOURCES = ("train", "checkpoint", "artefact", "none")
Source = Literal["train", "checkpoint", "artefact", "none"]
SERVING_BATCH = 64
KINDS = ("cpu", "accelerator")
Need = str | Callable[[Any], str | None]
"""The name of a shared need (`suite.core.machine.needs`), or a function ``(case) -> reason or None`` of its own."""


@dataclass(frozen=True, kw_only=True)
class Technique:
    """A function ``Recipe -> Recipe`` with what it touches and needs.

    ``needs`` are capabilities of the device or the workload: ``compiler``, ``bf16``, ``training``, ``images``, ... A
    function of the cell's case is a need, too: it returns why the cell cannot run here, or ``None``; ``control`` is a
    composition in which ``{parameter}`` stands for this technique's value; ``runs`` says whether the default profile
    runs it, ``quick`` whether `--quick` does. ``family`` is the kind of technique that it is listed under.
    ``precision`` is what the network computes in (``bf16``); ``--precision bf16`` composes every cell with all
    techniques that say so. ``sizes_follow_weights`` are the metrics of size that depend on trained weights
    (``parameters``, ``macs``, ...): other rounding changes them, so that they are not exact.
    ``promises(**parameters)`` is what holds of the weights, whatever other techniques of a composition do to them.
    """

    name: str
    function: Callable[..., Recipe]
    slots: tuple[str, ...]
    control: str = BASELINE
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))
    needs: tuple[Need, ...] = ()
    conflicts: tuple[str, ...] = ()
    runs: bool = True
    quick: bool = True
    family: str = "other"
    precision: str | None = None
    sizes_follow_weights: tuple[str, ...] = ()
    promises: Callable[..., Invariant] | None = None

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
    recipe's ``model`` itself (``checkpoint``), files without a torch module (``artefact``, see
    `suite.training.artefacts`), or nowhere (``none``: the data carry no meaning, so that only speed,
    size, memory and the agreement of outputs are measured). ``scores`` are its qualities, the primary one first;
    ``target`` is a validation value of that one whose training time is measured. ``batch`` is the serving batch of
    timings by device type (``cpu``, else ``accelerator``). ``techniques`` limits what runs by default to these names
    and compositions; any other can still be asked for. ``quick`` and ``default`` say whether such runs hold it where no
    workload is named; `--full` holds all but those with ``full=False``, which run by name only. ``groups`` are the
    groups of metrics that are measured where no workload is named, all of them by default. Each of ``techniques``,
    ``quick``, ``default`` and ``groups`` may be a mapping by device type, as ``batch`` is; a type that it lacks has the
    field's default. ``digest`` names the data: stored quality applies to the same digest only. Hash the raw data, not
    floats computed from it, whose last bits differ between machines. Data that an environment brings, such as Python's
    own sources, are named with it: ``cpython-3.11.7:5868b1c2f24ac8da``.
    """

    name: str
    recipe: Callable[[int], Recipe]
    source: Source = "train"
    scores: tuple[Score, ...] = ()
    target: float | None = None
    batch: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    techniques: tuple[str, ...] | Mapping[str, tuple[str, ...]] | None = None
    needs: tuple[Need, ...] = ()
    quick: bool | Mapping[str, bool] = True
    default: bool | Mapping[str, bool] = True
    full: bool = True
    groups: tuple[Group, ...] | Mapping[str, tuple[Group, ...]] = GROUPS
    digest: Callable[[], str] | None = None

    def plain(self, seed: int, splits: Splits | None = None) -> Recipe:
        """The recipe of a seed as it runs, see `suite.training.surgery.adapting`, with the data ``splits`` if given.

        Raises `TypeError` for what is no recipe.
        """
        found = self.recipe(seed)
        if not isinstance(found, Recipe):
            raise TypeError(f"workload {self.name!r} at {self.where} must return a Recipe, it returned {found!r}")
        found = found if splits is None else replace(found, data=lambda: splits)
        return adapted(found, classifies=any(score.classifies for score in self.scores), form=_form(self.recipe))

    @property
    def trains(self) -> bool:
        """Whether a network can learn from the data."""
        return self.source != "none"

    @property
    def comes_trained(self) -> bool:
        """Whether nothing of it is trained here."""
        return self.source in {"checkpoint", "artefact"}

    @property
    def primary(self) -> Score | None:
        """The score that tables show first."""
        return self.scores[0] if self.scores else None

    def batch_on(self, device: str) -> int:
        """Items of a served batch on a device such as ``cpu`` or ``cuda:1``."""
        return self.batch.get(kind_of(device), SERVING_BATCH)

    def techniques_on(self, device: str) -> tuple[str, ...] | None:
        """What runs by default on a device; ``None`` for every technique that does."""
        found: tuple[str, ...] | None = _on(self.techniques, device, None)
        return found

    def quick_on(self, device: str) -> bool:
        """Whether a quick run on a device holds it."""
        return bool(_on(self.quick, device, True))

    def default_on(self, device: str) -> bool:
        """Whether a default run on a device holds it."""
        return bool(_on(self.default, device, True))

    def groups_on(self, device: str) -> tuple[Group, ...]:
        """The groups of metrics that a run on a device measures where no workload is named."""
        found: tuple[Group, ...] = _on(self.groups, device, GROUPS)
        return found

    @property
    def where(self) -> str:
        return _where(self.recipe)

    @property
    def about(self) -> str:
        return _first_line(self.recipe)


@dataclass(frozen=True, kw_only=True)
class Family:
    """Workloads too many to list: ``prefix`` and one of ``names()``, declared by ``declare(name)`` when asked for.

    ``declare`` registers the workload ``prefix + name``. ``about`` is the one line that lists all of them.
    """

    prefix: str
    about: str
    names: Callable[[], Iterable[str]]
    declare: Callable[[str], None]


@cache
def _form(_recipe: Callable[[int], Recipe]) -> Form:
    """One for each workload: how its networks answer is looked at once."""
    return Form()


def kind_of(device: str) -> str:
    """What declarations call the type of a device such as ``cpu`` or ``cuda:1``."""
    return "cpu" if device.startswith("cpu") else "accelerator"


def _on(declared: Any, device: str, otherwise: Any) -> Any:
    return declared.get(kind_of(device), otherwise) if isinstance(declared, Mapping) else declared


def check_workload(declared: Workload) -> None:
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
    _check_by_device(declared, at)
    for kind, size in declared.batch.items():
        if kind not in KINDS or not isinstance(size, int) or size < 1:
            raise RegistrationError(
                f"{at}: batch must be a number of items, or {{'cpu': 64, 'accelerator': 64}}, got {kind!r}: {size!r}"
            )


def _check_by_device(declared: Workload, at: str) -> None:
    """Refuse what no device would ever look up."""
    for name in ("techniques", "quick", "default", "groups"):
        value = getattr(declared, name)
        for kind in value if isinstance(value, Mapping) else ():
            if kind not in KINDS:
                raise RegistrationError(f"{at}: {name}: {unknown('device type', kind, KINDS)}")
    for kind in KINDS:
        for group in declared.groups_on(kind):
            if group not in GROUPS:
                raise RegistrationError(f"{at}: groups: {unknown('group', group, GROUPS)}")


def slots_of(slots: Iterable[str], function: Callable[..., Recipe]) -> tuple[str, ...]:
    """The slots that a technique declares; ``serialize`` is a part of ``runtime`` now, which a warning says."""
    declared = tuple(slots)
    if "serialize" in declared:
        warnings.warn(
            f"technique {function.__name__!r} at {_where(function)}: {SERIALIZE}", FutureWarning, stacklevel=3
        )
    return tuple(dict.fromkeys("runtime" if slot == "serialize" else slot for slot in declared))


def check_technique(declared: Technique) -> None:
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


def _where(function: Callable[..., Any]) -> str:
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def check_is_function(kind: str, found: Any, form: str) -> None:
    """Raise `RegistrationError` if what is declared as a ``kind`` is no function (a class, say)."""
    if isinstance(found, type) or not hasattr(inspect.unwrap(found), "__code__"):
        what = f"the class {found.__qualname__}{_line_of(found)}" if isinstance(found, type) else repr(found)
        raise RegistrationError(
            f"@{kind} decorates a function {form} -> Recipe, and not {what}; write def my_{kind}{form}: return ..."
        )


def _line_of(found: type) -> str:
    with suppress(OSError, TypeError):
        return f" at {inspect.getsourcefile(found)}:{inspect.getsourcelines(found)[1]}"
    return ""


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
