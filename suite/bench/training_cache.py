"""Trainings of earlier runs, taken from a folder where nothing that they depend on has changed.

One file per training: a line of JSON with everything that the training depends on and the digest of what follows, then
the pickled network. Unpickling runs code, so only files that this user wrote into the own folder are read, and those
only if their digest holds. A file that cannot be used costs a training and a line, never a run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import distributions
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from suite.bench.inputs import digest as _digest
from suite.bench.inputs import of_data, of_recipe, of_tensor
from suite.core.errors import SetupError, SuiteError
from suite.core.files import replace_file
from suite.core.records import Measurement, RunHeader
from suite.registry.opened import digest as file_digest
from suite.registry.opened import digests, watching
from suite.training.loop import EpochRecord, Trained, built
from suite.training.recipe import Recipe

if TYPE_CHECKING:
    from suite.bench.options import Options

SCHEMA = 2
LIMIT = 4 * 2**30  # bytes of a folder
WRITABLE = 0o022  # by the group or by all
SUFFIX = ".training"
ABANDONED = 24 * 3600.0  # seconds after which a half-written file has no writer any more
Stage = Literal["fit", "finish"]


class ReuseError(SuiteError):
    """A kept training cannot be used, or one cannot be kept; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A training: a stage of a workload's composition and seed; ``plain`` and ``recipe`` before and after techniques.

    ``composition`` is canonical, so that it says everything about the recipe that the sources do not.
    """

    stage: Stage
    workload: str
    composition: str
    seed: int
    device: str
    plain: Recipe
    recipe: Recipe

    def __str__(self) -> str:
        return f"{self.workload} {self.composition} seed {self.seed}"


@dataclass(kw_only=True)
class Trainings:
    """The kept trainings below ``folder``; ``facts`` are what all trainings of a run depend on.

    ``code`` gives the digest of the sources as they are now: what was trained with others than ``facts`` says is not
    kept. ``notes`` are what a user should know; ``reused`` counts.
    """

    folder: Path
    facts: Mapping[str, Any]
    code: Callable[[], str | None]
    limit: int = LIMIT
    notes: list[str] = field(default_factory=list)
    reused: int = 0
    _own: set[Path] = field(default_factory=set)
    _data: dict[tuple[str, int], str] = field(default_factory=dict)

    def get(self, asked: Asked, make: Callable[[], Trained]) -> Trained:
        """The kept training, else what ``make`` trains now, which is then kept."""
        try:
            facts = self._facts(asked)
        except Exception as error:  # noqa: BLE001  # a recipe may raise anything, and shall do so in its own cell
            self._note(f"{asked} is trained again: its data or network cannot be read: {error}")
            return make()
        path = self.folder / f"{_digest(json.dumps(facts, sort_keys=True))}{SUFFIX}"
        found = self._found(path, facts, asked)
        if found is not None:
            return found
        with watching() as names:
            trained = make()
        self._keep(path, facts, trained, asked, digests(names))
        return trained

    def _found(self, path: Path, facts: Mapping[str, Any], asked: Asked) -> Trained | None:
        try:
            content = read(path, facts, asked.device)
        except ReuseError as error:
            self._note(f"{asked} is trained again: {error}")
            return None
        if content is None:
            return None
        own = path in self._own  # trained by this very run, and freed in between
        self.reused += not own
        with suppress(OSError):
            os.utime(path)  # what is used stays
        return Trained(
            recipe=asked.recipe, network=content["network"], device=asked.device, seed=asked.seed,
            seconds=content["seconds"], epochs=tuple(EpochRecord(**row) for row in content["epochs"]),
            energy=content["energy"], reused=not own or content["reused"],
        )  # fmt: skip

    def _keep(
        self, path: Path, facts: Mapping[str, Any], trained: Trained, asked: Asked, opened: Mapping[str, str]
    ) -> None:
        if self.code() != self.facts["sources"]:
            self._note(
                f"{asked} is not kept: sources changed or were first imported while it trained; import them at the top"
            )
            return
        try:
            write(path, facts, trained, limit=self.limit, opened=opened)
        except ReuseError as error:
            self._note(f"{asked} is not kept: {error}")
            return
        self._own.add(path)
        prune(self.folder, self.limit)

    def _facts(self, asked: Asked) -> dict[str, Any]:
        found = {
            **self.facts, "stage": asked.stage, "workload": asked.workload, "composition": asked.composition,
            "seed": asked.seed, "device": asked.device, "data": self._data_of(asked),
            "weights": _digest(*_weights(asked)), "values": of_recipe(asked.recipe),
            "inputs": self.facts.get("inputs", {}).get(asked.workload),
        }  # fmt: skip
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return plain

    def _data_of(self, asked: Asked) -> str:
        """The digest of the data as they were loaded: a workload need not declare one, and files change."""
        key = (asked.workload, asked.seed)
        if key not in self._data:
            self._data[key] = of_data(asked.plain.data())
        return self._data[key]

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def opened(options: Options, header: RunHeader) -> Trainings | None:
    """The folder of kept trainings, ``None`` without --reuse. Raises `SetupError` if it cannot be written."""
    if options.reuse is None:
        return None
    from suite.bench import sources

    try:
        options.reuse.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.reuse):
            pass
    except OSError as error:
        raise SetupError(
            f"cannot write {options.reuse}: {error.strerror or error}; choose another folder with --cache-dir"
        ) from error
    code = lambda: sources.digest(header.load)  # noqa: E731
    return Trainings(folder=options.reuse, facts=facts_of(header), code=code)


def check(options: Options) -> None:
    """Raise `SetupError` for a run that would store figures which it did not measure."""
    if options.reuse is not None and options.expect == "record":
        raise SetupError("recorded values need new trainings: drop --reuse, or measure without --expect=record")


def facts_of(header: RunHeader) -> dict[str, Any]:
    """What every training of a run depends on beside itself."""
    where = header.where
    return {
        "schema": SCHEMA,
        "sources": header.sources,
        "machine": where.machine,
        "threads": where.threads,
        "versions": dict(where.versions),
        "packages": _digest(*sorted(f"{found.name}=={found.version}" for found in distributions())),
        "flags": dict(header.flags),
        "declared": dict(where.data_digests),
        "inputs": dict(header.inputs),
    }


def marked(measurements: Sequence[Measurement], *, reused: bool) -> list[Measurement]:
    """Figures of what training decides, marked where a training was not this run's."""
    return [replace(one, reused=True) if reused else one for one in measurements]


def lines(trainings: Trainings | None, measurements: Iterable[Measurement]) -> list[str]:
    """Lines for the end of a run about reused trainings."""
    if trainings is None:
        return []
    marks = [one for one in measurements if one.reused]
    found = [f"reuse: {note}" for note in trainings.notes]
    if marks:
        cells = len({one.cell for one in marks})
        found.append(
            f"reused: {len(marks)} metrics of quality and size in {cells} cells come from trainings of earlier runs "
            f"({trainings.reused} taken from {trainings.folder}); training and its cost were not measured again; run "
            "without --reuse to measure them"
        )
    elif trainings.reused:
        found.append(f"reused: {trainings.reused} trainings of earlier runs, from {trainings.folder}")
    return found


# -- files ------------------------------------------------------------------------------------------------------------


def write(
    path: Path,
    facts: Mapping[str, Any],
    trained: Trained,
    *,
    limit: int = LIMIT,
    opened: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Keep a training as ``path``, as a whole or not at all. Raises `ReuseError` where it cannot be.

    ``opened`` are the digests of the files that it read.
    """
    payload = _pickled(trained)
    if len(payload) > limit:
        raise ReuseError(f"its {len(payload)} bytes are more than the folder may hold ({limit})")
    head = json.dumps(
        {"facts": facts, "opened": dict(opened), "sha256": hashlib.sha256(payload).hexdigest()}, sort_keys=True
    )
    try:
        replace_file(path, head.encode() + b"\n" + payload, private=True)
    except OSError as error:
        raise ReuseError(f"cannot write {path}: {error.strerror or error}") from error


def read(path: Path, facts: Mapping[str, Any], device: str) -> dict[str, Any] | None:
    """What `write` kept, its network on ``device``; ``None`` if there is nothing. Raises `ReuseError` for other files.

    What is unpickled was written by this user, is whole, and is of exactly these ``facts``.
    """
    try:
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            head, payload = file.readline(), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReuseError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        said = json.loads(head)
        whole = said["facts"] == facts and said["sha256"] == hashlib.sha256(payload).hexdigest()
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise ReuseError(f"{path} is damaged")
    for name, content in said.get("opened", {}).items():
        if file_digest(Path(name)) != content:
            raise ReuseError(f"{name}, which its training read, has changed")
    try:
        found: dict[str, Any] = torch.load(io.BytesIO(payload), map_location=device, weights_only=False)
    except Exception as error:
        raise ReuseError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return found


def prune(folder: Path, limit: int) -> None:
    """Remove the files that were not used for longest until ``limit`` bytes hold; other runs may do so as well."""
    ages: list[tuple[float, int, Path]] = []
    for path in [*folder.glob(f"*{SUFFIX}"), *folder.glob(f".*{SUFFIX}.*.tmp")]:
        with suppress(OSError):
            stat = path.stat()
            ages.append((stat.st_mtime, stat.st_size, path))
    half = [found for found in ages if found[2].name.startswith(".")]
    gone = [path for when, _, path in half if when < time.time() - ABANDONED]
    total = sum(size for _, size, _ in ages)
    for _, size, path in sorted(found for found in ages if found not in half):
        if total <= limit:
            break
        gone.append(path)
        total -= size
    for path in gone:
        with suppress(OSError):
            path.unlink()


def _pickled(trained: Trained) -> bytes:
    """The network by reference to its classes: copies of them would not be those that techniques look for."""
    import cloudpickle

    content = {
        "network": trained.network, "seconds": trained.seconds, "reused": trained.reused, "energy": trained.energy,
        "epochs": [{"seconds": one.seconds, "score": one.score, "energy": one.energy} for one in trained.epochs],
    }  # fmt: skip
    buffer = io.BytesIO()
    try:
        torch.save(content, buffer, pickle_module=cloudpickle)
    except Exception as error:
        raise ReuseError(f"its network cannot be pickled: {type(error).__name__}: {error}") from error
    return buffer.getvalue()


def _check_owner(path: Path, stat: os.stat_result) -> None:
    if path.is_symlink() or (hasattr(os, "getuid") and stat.st_uid != os.getuid()):
        raise ReuseError(f"{path} is another user's or a link, and loading it would run its code; delete it")
    if os.name == "posix" and stat.st_mode & WRITABLE:
        raise ReuseError(f"{path} can be written by others, and loading it would run its code; delete it")


# -- digests ----------------------------------------------------------------------------------------------------------


def _weights(asked: Asked) -> Iterable[str | bytes]:
    """The network that training starts from: a checkpoint's file is no source."""
    for name, value in built(asked.recipe, asked.seed).state_dict().items():
        yield name
        yield from of_tensor(value) if isinstance(value, Tensor) else (repr(value),)
