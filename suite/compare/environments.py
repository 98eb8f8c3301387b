"""An environment with another release of a package: everything else is the one that runs this.

A new virtual environment holds the requirement, its dependencies and the installed packages that depend on it (a
torchvision that goes with its torch). Behind them on the import path stands the present environment, so that nothing
else differs. It is built once, by uv where there is one, and kept.
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

from suite.errors import SetupError

SHOWN = 8  # last lines of a builder that failed
DISTRIBUTION = "tradeoff-suite"
STAMP = "built"


def environment(requirement: str, *, cache: Path) -> Path:
    """The Python of an environment with ``requirement``. Raises `SetupError` with the builder's last words."""
    base = sysconfig.get_path("purelib")
    wanted = [requirement, *dependents(_name(requirement), _installed())]
    key = hashlib.sha256("\n".join([*wanted, base, sys.version]).encode()).hexdigest()[:12]
    folder = cache / f"environment-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / STAMP).exists():
        _build(folder, python, wanted, base)
        (folder / STAMP).write_text("\n".join(wanted), "utf-8")
    return python


def _build(folder: Path, python: Path, wanted: Sequence[str], base: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = _uv()
    if uv is not None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], wanted)
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted], wanted)
    else:
        _run([sys.executable, "-m", "venv", str(folder)], wanted)
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted], wanted)
    own = _run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], wanted).strip()
    (Path(own) / "present_environment.pth").write_text(f"import site; site.addsitedir({base!r})\n", "utf-8")


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


def _installed() -> dict[str, list[str]]:
    """What is installed from an index, with what it needs without extras."""
    known = [one for one in distributions() if one.metadata["Name"]]
    return {_name(one.metadata["Name"]): _needs(one) for one in known if _from_index(one)}


def _from_index(one: Distribution) -> bool:
    """Whether an installer could fetch it again: not this suite, nor what a folder or an address was installed from."""
    return _name(one.metadata["Name"]) != DISTRIBUTION and one.read_text("direct_url.json") is None


def _needs(one: Distribution) -> list[str]:
    return [_name(text) for text in one.requires or () if "extra ==" not in text]


def _name(requirement: str) -> str:
    """The normalised name of a requirement's package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()
