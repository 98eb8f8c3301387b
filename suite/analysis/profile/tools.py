"""Programs and packages that the suite uses where they are and never installs."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from types import ModuleType

from suite.core.errors import SetupError

INSTALL = {
    "py-spy": "pip install py-spy",
    "nsys": "Nsight Systems from https://developer.nvidia.com/nsight-systems",
    "matplotlib": "pip install matplotlib",
    "tensorboard": "pip install tensorboard",
}


def program(name: str) -> str:
    """The path of a program. Raises `SetupError` with where to get it."""
    found = shutil.which(name)
    if found is None:
        raise SetupError(f"{name} is not on the PATH; install it: {INSTALL[name]}")
    return found


def package(name: str, module: str | None = None) -> ModuleType:
    """``module`` (default: ``name`` itself) of a package. Raises `SetupError` with the command that installs it."""
    try:
        return importlib.import_module(module or name)
    except ImportError:
        raise SetupError(f"{name} is not installed; install it: {INSTALL[name]}") from None


def has_package(name: str) -> bool:
    """Whether a package is there to be imported."""
    return importlib.util.find_spec(name) is not None
