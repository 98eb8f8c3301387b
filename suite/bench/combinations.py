"""Compositions that a practitioner would try together: the suite's own, and those of a user's settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from suite.core.errors import SetupError, SuiteError
from suite.registry.settings import PACKAGE, TABLE, settings_file

if TYPE_CHECKING:
    from suite.registry import Registry

OWN = PACKAGE / "bench" / "combinations.toml"
SETTING = "combinations"
LEAST = 2


def combinations(registry: Registry, directory: Path) -> dict[str, str]:
    """The purpose of each combination, by canonical name; the user's follow the suite's own.

    Raises `SetupError`, which names the file, for a combination that contradicts itself, is empty or has an unknown
    name.
    """
    found = _checked(registry, OWN, tomllib.loads(OWN.read_text("utf-8")))
    file = settings_file(directory)
    return found if file is None else found | _checked(registry, file, _of_settings(file))


def _of_settings(file: Path) -> object:
    table = tomllib.loads(file.read_text("utf-8"))["tool"][TABLE]
    return table.get(SETTING, {}) if isinstance(table, dict) else {}


def _checked(registry: Registry, file: Path, declared: object) -> dict[str, str]:
    if not isinstance(declared, Mapping) or not all(isinstance(about, str) and about for about in declared.values()):
        raise SetupError(
            f"{file}: {SETTING} must say what each is tried for, like "
            '"channels_last+compiled" = "the layout that the kernels want"'
        )
    return {_canonical(registry, file, name): about for name, about in declared.items()}


def _canonical(registry: Registry, file: Path, name: str) -> str:
    try:
        resolved = registry.resolve(name)
    except SuiteError as error:
        raise SetupError(f"{file}: {SETTING}: {error}") from error
    if len(resolved.members) < LEAST:
        raise SetupError(f"{file}: {SETTING}: {name!r} is no combination; join at least two techniques with +")
    return registry.canonical(name)
