"""An environment with another release of a package: everything else is the one that runs this.

A new virtual environment holds the requirement, its dependencies and the installed packages that depend on it (a
torchvision that goes with its torch). Every other package keeps its present version: what the requirement brings along
by constraints, the rest since the present environment stands behind the new one on the import path. Where no set of
releases fits the constraints it is built without them, and that is said. It is built once, by uv where there is one,
and kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from suite.core.errors import SetupError

SHOWN = 8  # last lines of a builder that failed
DISTRIBUTION = "tradeoff-suite"
STAMP = "built"
CONSTRAINTS = "constraints.txt"


class Built(NamedTuple):
    """An environment's Python, and what has to be said about it."""

    python: Path
    notes: tuple[str, ...] = ()


def environment(requirement: str, *, cache: Path) -> Built:
    """An environment with ``requirement``. Raises `SetupError` with the builder's last words.

    A lock makes comparisons that want the same one wait for each other.
    """
    from filelock import FileLock

    base, name, known = sysconfig.get_path("purelib"), _name(requirement), _installed()
    wanted = [requirement, *dependents(name, {package: _needs(one) for package, one in known.items()})]
    kept = constraints(known, tied(name, {package: _exact(one) for package, one in known.items()}))
    key = hashlib.sha256("\n".join([*wanted, *kept, base, sys.version]).encode()).hexdigest()[:12]
    folder = cache / f"environment-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _make(cache)
    with FileLock(cache / f"{folder.name}.lock"):
        if not (folder / STAMP).exists():
            notes = _build(folder, python, wanted, kept, base)
            (folder / STAMP).write_text("\n".join(notes), "utf-8")
        return Built(python, tuple((folder / STAMP).read_text("utf-8").splitlines()))


def _make(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"no environment can be kept in {cache}: {error.strerror}; give another --cache-dir"
        ) from error


def _build(folder: Path, python: Path, wanted: Sequence[str], kept: Sequence[str], base: str) -> list[str]:
    """Build it anew; returns what has to be said."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = _uv()
    if uv is not None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], wanted)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run([sys.executable, "-m", "venv", str(folder)], wanted)
        install = [str(python), "-m", "pip", "install", "--quiet"]
    (folder / CONSTRAINTS).write_text("\n".join(kept), "utf-8")
    notes = _install([*install, "--constraint", str(folder / CONSTRAINTS)], install, wanted)
    own = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], wanted).strip()
    (Path(own) / "present_environment.pth").write_text(f"import site; site.addsitedir({base!r})\n", "utf-8")
    return notes


def _install(constrained: Sequence[str], free: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """With constraints where the builder can, else without them; returns what has to be said."""
    try:
        _run([*constrained, *wanted], wanted)
    except SetupError:
        _run([*free, *wanted], wanted)
        return [f"{wanted[0]} conflicts with the versions installed here: its dependencies may need other ones"]
    return []


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.exists() else None)


def _run(command: Sequence[str], wanted: Sequence[str]) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-SHOWN:]
        raise SetupError("\n  ".join([f"an environment with {' '.join(wanted)} cannot be built:", *said]))
    return done.stdout


def dependents(name: str, requires: Mapping[str, Iterable[str]]) -> list[str]:
    """Packages that need ``name``, directly or through others, sorted; ``requires`` maps a package to what it needs."""
    found, waiting = set[str](), {name}
    while waiting:
        waiting = {package for package, needs in requires.items() if waiting & set(needs)} - found - {name}
        found |= waiting
    return sorted(found)


def tied(name: str, exact: Mapping[str, Iterable[str]]) -> set[str]:
    """``name`` and what exact versions bind to it, in either direction and through others.

    ``exact`` maps a package to those of which it needs one version.
    """
    found, waiting = set[str](), {name}
    while waiting:
        found |= waiting
        above = {package for package, needs in exact.items() if waiting & set(needs)}
        waiting = above.union(*(exact.get(package, ()) for package in waiting)) - found
    return found


def constraints(known: Mapping[str, Distribution], loose: Iterable[str]) -> list[str]:
    """The installed version of every package that is not ``loose``, sorted; any build of it (``+cpu``) will do."""
    return sorted(f"{package}=={known[package].version.split('+')[0]}" for package in known.keys() - set(loose))


def _installed() -> dict[str, Distribution]:
    """What is installed from an index, by normalised name; of two on the path the first one."""
    known = [one for one in distributions() if one.metadata["Name"]]
    return {_name(one.metadata["Name"]): one for one in reversed(known) if _from_index(one)}


def _from_index(one: Distribution) -> bool:
    """Whether an installer could fetch it again: not this suite, nor what a folder or an address was installed from."""
    return _name(one.metadata["Name"]) != DISTRIBUTION and one.read_text("direct_url.json") is None


def _needs(one: Distribution) -> list[str]:
    return [_name(text) for text in one.requires or () if "extra ==" not in text]


def _exact(one: Distribution) -> list[str]:
    """What it needs in one version, by extras too: those of a package that is split into many."""
    return [_name(text) for text in one.requires or () if "==" in text.split(";")[0]]


def _name(requirement: str) -> str:
    """The normalised name of a requirement's package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()
