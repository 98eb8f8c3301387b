"""What a user's repository says about the suite, and where expectations are looked up."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

from suite.errors import SetupError
from suite.registry import Registry

TABLE = "tradeoff-suite"
ENTRY_POINTS = "tradeoff_suite"
PACKAGE = Path(__file__).parent


def shipped_expectations() -> Path:
    """The folder of expectations for the built-in workloads: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / "_expectations"
    return installed if installed.is_dir() else PACKAGE.parent / "expectations"


def user_modules(directory: Path) -> list[str]:
    """Modules of ``[tool.tradeoff-suite] load`` in the nearest pyproject.toml; ``.py`` paths are relative to it."""
    for folder in (directory, *directory.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return [_resolved(name, folder) for name in _load_list(file)]
    return []


def load_user_modules(registry: Registry, directory: Path, extra: list[str]) -> None:
    """Import everything that declares workloads or techniques: settings, entry points, then ``extra``."""
    for point in entry_points(group=ENTRY_POINTS):
        point.load()
    for name in dict.fromkeys([*user_modules(directory), *extra]):
        registry.load(name)


def _load_list(file: Path) -> list[str]:
    try:
        tool = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{file}: {error}") from error
    settings = tool.get(TABLE, {}) if isinstance(tool, dict) else None
    if not isinstance(settings, dict):
        raise SetupError(f"{file}: [tool.{TABLE}] must be a table")
    names = settings.get("load", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SetupError(f'{file}: [tool.{TABLE}] load must be a list of module names, like load = ["my_models"]')
    return names


def _resolved(name: str, folder: Path) -> str:
    return str(folder / name) if name.endswith(".py") else name
