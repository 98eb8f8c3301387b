"""Inputs that once ended wrongly, each in a folder of its own; runs write into a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from brief_timing import brief

INPUTS = Path(__file__).parent / "inputs"
ROOT = INPUTS.parents[2]
BASH = shutil.which("bash") or "bash"
TIMEOUT = 280


@pytest.fixture
def folder(tmp_path):
    """``folder(name)``: a copy of an input, with settings that load its workloads."""

    def copied(name):
        target = tmp_path / name
        if not target.exists():
            shutil.copytree(INPUTS / name, target)
            loaded = [file.name for file in (target / "bench.py", target / "cheats.py") if file.exists()]
            if loaded:
                (target / "brief_timing.py").write_text(brief(seconds=0.5), "utf-8")
                loaded.append("brief_timing.py")
                (target / "pyproject.toml").write_text(f"[tool.tradeoff-suite]\nload = {loaded!r}\n", "utf-8")
        return target

    return copied


@pytest.fixture
def run(folder, interpreter, environment):
    """``run(name, *arguments)``: what `suite` with these arguments says in a copy of the folder."""

    def ran(name, *arguments):
        return _done([interpreter, "-P", "-m", "suite", *arguments], folder(name), environment)

    return ran


@pytest.fixture
def made(tmp_path, environment):
    """``made(name, *arguments)``: the repositories of an input's `make.sh`, below the folder that is returned."""

    def make(name, *arguments):
        script = INPUTS / name / "make.sh"
        subprocess.run([BASH, script, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True)
        return tmp_path

    return make


@pytest.fixture
def compared(environment):
    """``compared(repository)``: what `suite compare` says of it and the commit before, in as few pairs as there can be.

    Its timings may be inconclusive; exact figures and messages are what tests look at.
    """

    def ran(repository, *, python=sys.executable):
        few = ("--pairs=2", "--forks=1", "--budget=0.05", "--workload=ours", f"--cache-dir={repository.parent}/cache")
        command = [python, "-P", "-m", "suite", "compare", "HEAD~1", *few]
        return _done(command, repository, {**environment, "PYTHONPATH": str(ROOT)})

    return ran


@pytest.fixture
def script_of(folder, environment):
    """``script_of(name, file)``: what a script of the folder prints."""

    def ran(name, file):
        return _done([sys.executable, "-P", file], folder(name), environment)

    return ran


def _done(command, where, environment):
    return subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
