"""Import what declares techniques and workloads: the suite's own modules, and users' by name or by file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import pkgutil
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from suite.core.errors import SetupError, SuiteError
from suite.registry.default_type import unchanged_default_type
from suite.registry.opened import watching

FROM_FILE = "tradeoff_suite_user_"  # names of modules that were loaded from a file
SUITE = Path(__file__).parents[1]
PARSERS = frozenset({"argparse", "optparse", "getopt", "click.core", "click.utils"})
GUARD = 'put the statements of a script below `if __name__ == "__main__":`'
FILES: dict[str, None] = {}
"""Files that users' modules read while they were imported."""
BUILTIN = ("suite.catalog.workloads", "suite.catalog.techniques", "suite.catalog.distributed", "suite.catalog.runtimes")


def load(target: str) -> None:
    """Import a user's module, by dotted name or by path of a ``.py`` file. Raises `SuiteError` that says where."""
    try:
        with watching() as names, _no_command_line(), unchanged_default_type(target):
            if target.endswith(".py"):
                _import_file(Path(target))
            else:
                importlib.import_module(target)
        FILES.update(names)
    except SuiteError as error:
        if ".py:" in str(error):
            raise
        raise SetupError(f"cannot load {target!r}: {error} [{_raised_at(error)}]") from error
    except ModuleNotFoundError as error:
        raise SetupError(f"cannot load {target!r}: {error}; {_where_it_is(target, error)}") from error
    except SystemExit as error:
        raise SetupError(
            f"cannot load {target!r}: it ends the process when it is imported (exit code {error.code}) "
            f"[{_raised_at(error)}]; {GUARD}"
        ) from error
    except Exception as error:
        raise SetupError(f"cannot load {target!r}: {type(error).__name__}: {error} [{_raised_at(error)}]") from error


def _where_it_is(target: str, error: ModuleNotFoundError) -> str:
    """What to write for a module that Python does not find: it may lie below ``src``, which is on no path by itself."""
    top = target.partition(".")[0]
    if error.name == top and (Path("src") / top).is_dir():
        return f"it lies in src/{top}: install your package (pip install -e .), or start with PYTHONPATH=src"
    return "list importable modules or .py files in [tool.tradeoff-suite] load"


def load_builtin() -> None:
    """Import every module of the suite's own packages of workloads and techniques."""
    for package in BUILTIN:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")


def of_users(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """The modules (or files) outside the suite that ``functions`` come from, by the name that loads them."""
    users = [one for one in functions if SUITE not in Path(inspect.getfile(one)).resolve().parents]
    return list(dict.fromkeys(_importable(function) for function in users))


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
    """The last place outside the suite, Python and its packages where an error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = (str(SUITE), "<", *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")))
    outside = [frame for frame in frames if not frame.filename.startswith(foreign)]
    own = [frame for frame in outside if "site-packages" not in frame.filename] or outside or list(frames)
    return f"{own[-1].filename}:{own[-1].lineno}"


class _Arguments(list[str]):
    """The command line as a module sees it while it is imported: it belongs to `suite`, and nobody else parses it."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice) and sys._getframe(1).f_globals.get("__name__") in PARSERS:  # noqa: SLF001
            raise SetupError(f"it parses the command line when it is imported; {GUARD}")
        return super().__getitem__(key)


@contextmanager
def _no_command_line() -> Iterator[None]:
    before = sys.argv
    sys.argv = _Arguments(before)
    try:
        yield
    finally:
        sys.argv = before


def _importable(function: Callable[..., Any]) -> str:
    """The module's dotted name if an import finds it by that name (relative imports need it), else its file."""
    file, name = str(Path(inspect.getfile(function)).resolve()), function.__module__
    spec = getattr(sys.modules.get(name), "__spec__", None)
    top_level = importlib.machinery.PathFinder.find_spec(name.partition(".")[0])  # as a child process would look
    found = top_level is not None and spec is not None and str(Path(spec.origin or "").resolve()) == file
    by_name = found and not name.startswith(FROM_FILE) and name != "conftest"
    return name if by_name else file
