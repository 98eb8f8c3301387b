"""A user repository's settings for the suite, and the folder of its expectations."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from suite.core.errors import SetupError, SuiteError
from suite.registry import Registry

TABLE = "tradeoff-suite"
ENTRY_POINTS = "tradeoff_suite"
EXPECTATIONS = "expectations"
DATA_VARIABLE = "SUITE_DATA"
DATA_SETTING = "data_root"
HISTORY_SETTING = "history"
PRICES_SETTING = "prices"
PACKAGE = Path(__file__).parents[1]


def shipped_expectations() -> Path:
    """The folder of expectations for the built-in workloads: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / "_expectations"
    return installed if installed.is_dir() else PACKAGE.parent / EXPECTATIONS


def settings_file(directory: Path) -> Path | None:
    """The nearest pyproject.toml upwards from ``directory`` that has a table ``[tool.tradeoff-suite]``.

    The search ends at the top of the repository. Raises `SetupError` for a file above ``directory`` that belongs to
    another user: the modules that it names would be run.
    """
    files = (folder / "pyproject.toml" for folder in _up_to_top(directory))
    found = next((file for file in files if file.is_file() and _table(file) is not None), None)
    if found is not None and found.parent != directory:
        _check_owner(found, directory)
    return found


def _up_to_top(directory: Path) -> Iterator[Path]:
    """A folder and those above it, up to the top of its repository."""
    for folder in (directory, *directory.parents):
        yield folder
        if (folder / ".git").exists():
            return


def _owner(path: Path) -> int:
    return path.stat().st_uid


def _check_owner(file: Path, directory: Path) -> None:
    if not hasattr(os, "getuid"):
        return
    owner = _owner(file)
    if owner not in (os.getuid(), 0, _owner(directory)):  # 0: the system's; in containers a checkout has another
        raise SetupError(
            f"{file} belongs to another user (uid {owner}), and the modules that it names would be run; start "
            f"the command in a repository of your own, or in {file.parent}"
        )


def user_modules(directory: Path) -> list[str]:
    """Modules of ``[tool.tradeoff-suite] load`` in the `settings_file`; ``.py`` paths are relative to it."""
    file = settings_file(directory)
    return [] if file is None else [_resolved(name, file.parent) for name in _load_list(file)]


def data_root(directory: Path) -> Path:
    """The folder of all data sets: ``$SUITE_DATA``, else ``data_root`` of the `settings_file`, else the user's cache.

    A relative setting is relative to its file, a relative variable to ``directory``. The folder need not be there.
    """
    chosen = os.environ.get(DATA_VARIABLE, "").strip()
    if chosen:
        return directory / Path(chosen).expanduser()
    file = settings_file(directory)
    named = None if file is None else _settings(file).get(DATA_SETTING)
    if file is None or named is None:
        import platformdirs

        return platformdirs.user_cache_path("tradeoff-suite", appauthor=False) / "data"
    if not isinstance(named, str) or not named.strip():
        raise SetupError(f'{file}: [tool.{TABLE}] {DATA_SETTING} must be a folder, like {DATA_SETTING} = "data"')
    return file.parent / Path(named).expanduser()


def keeps_history(directory: Path) -> bool:
    """Whether ``[tool.tradeoff-suite] history`` of the `settings_file` lets every run add to the history."""
    file = settings_file(directory)
    chosen = False if file is None else _settings(file).get(HISTORY_SETTING, False)
    if not isinstance(chosen, bool):
        raise SetupError(f"{file}: [tool.{TABLE}] {HISTORY_SETTING} must be true or false, got {chosen!r}")
    return chosen


def prices_file(directory: Path) -> Path | None:
    """The file of ``[tool.tradeoff-suite] prices``, which is relative to the `settings_file`; ``None`` without it.

    What is returned is relative to ``directory`` where the file is below it.
    """
    file = settings_file(directory)
    named = None if file is None else _settings(file).get(PRICES_SETTING)
    if file is None or named is None:
        return None
    if not isinstance(named, str) or not named.strip():
        raise SetupError(
            f'{file}: [tool.{TABLE}] {PRICES_SETTING} must be a file, like {PRICES_SETTING} = "prices.toml"'
        )
    found = file.parent / Path(named).expanduser()
    return found.relative_to(directory) if found.is_relative_to(directory) else found


def expect_dir(directory: Path) -> Path | None:
    """The folder of a user's expectations: the nearest ``expectations`` upwards that holds ``*/*.toml``.

    The search ends beside the `settings_file`, which is also where the first expectations belong: what lies further up
    is another project's. ``None`` where there is neither.
    """
    directory = directory.resolve()
    file = settings_file(directory)
    for folder in (directory, *directory.parents):
        ours = file is not None and folder == file.parent
        if ours or any((folder / EXPECTATIONS).glob("*/*.toml")):
            return folder / EXPECTATIONS
    return None


def found_expect_dir() -> Path:
    """The user's expectations as a command started here finds them: relative where that is shorter to type."""
    here = Path.cwd()
    found = expect_dir(here) or here / EXPECTATIONS
    return found.relative_to(here) if found.is_relative_to(here) else found


def load_user_modules(registry: Registry, directory: Path, extra: list[str]) -> None:
    """Import everything that declares workloads or techniques: settings, entry points, then ``extra``."""
    for point in entry_points(group=ENTRY_POINTS):
        _load_point(point)
    for name in dict.fromkeys([*user_modules(directory), *extra]):
        registry.load(name)


def _load_point(point: EntryPoint) -> None:
    try:
        point.load()
    except SuiteError:
        raise
    except (Exception, SystemExit) as error:
        owner = point.dist.name if point.dist else "an unknown distribution"
        said = (str(error).splitlines() or [""])[0]
        raise SetupError(
            f"the entry point {point.name} = {point.value!r} of {owner} cannot be loaded: {type(error).__name__}: "
            f"{said}; update or uninstall {owner}"
        ) from error


def _table(file: Path) -> object:
    """What stands at ``[tool.tradeoff-suite]``, ``None`` if nothing does."""
    try:
        tool = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{file}: {error}") from error
    if not isinstance(tool, dict):
        raise SetupError(f"{file}: [tool] must be a table")
    found: object = tool.get(TABLE)
    return found


def _settings(file: Path) -> dict[str, object]:
    found = _table(file)
    if not isinstance(found, dict):
        raise SetupError(f"{file}: [tool.{TABLE}] must be a table")
    return found


def _load_list(file: Path) -> list[str]:
    names = _settings(file).get("load", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SetupError(f'{file}: [tool.{TABLE}] load must be a list of module names, like load = ["my_models"]')
    return names


def _resolved(name: str, folder: Path) -> str:
    return str(folder / name) if name.endswith(".py") else name
