"""Starts the command line and the pytest plugin; installed outside ``suite`` as ``_tradeoff_suite``.

A user's own folder named ``suite`` may stand before this package on the import path. From in here that can still be
told in one sentence.
"""

from __future__ import annotations

import importlib
import warnings

DISTRIBUTION = "tradeoff-suite"


def problem() -> str | None:
    """Why the installed suite cannot be used, in one sentence; ``None`` if it can."""
    try:
        found = importlib.import_module("suite")
    except Exception as error:  # noqa: BLE001  # another package of that name may raise anything
        said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        return f"tradeoff-suite cannot be imported: {said}"
    if getattr(found, "DISTRIBUTION", None) == DISTRIBUTION:
        return None
    where = getattr(found, "__file__", None) or next(iter(getattr(found, "__path__", ["?"])))
    return (
        f"another package named 'suite' at {where} comes before tradeoff-suite on the import path; "
        "rename it, or start Python from another folder with `python -P`"
    )


def main() -> int:
    """The ``suite`` command."""
    found = problem()
    if found is not None:
        print(f"suite: {found}")  # this is the command line
        return 11
    return int(importlib.import_module("suite.cli.main").main())


_PROBLEM = problem()
if _PROBLEM is None:
    pytest_plugins = ["suite.bench.pytest_plugin.plugin", "suite.bench.functions.fixture"]
else:
    warnings.warn(f"{_PROBLEM}; its pytest plugin is off", stacklevel=1)
