"""Settings of all tests."""

import gc
import os
import subprocess
import sys

import forked_python
import pytest
from fakes import torch  # noqa: F401  # the fixture that stands in for torch on hardware that is not here
from hypothesis import HealthCheck, Phase, settings

from suite.core.machine import quiet

FEW = ("advise", "curves", "plan", "scaling", "studies")
"""Folders with hundreds of properties: few examples each by default, 500 with HYPOTHESIS_PROFILE=ci."""

settings.register_profile(
    "suite", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # slow machines
settings.register_profile("few", settings.get_profile("suite"), max_examples=10)  # are no fault
settings.register_profile("ci", settings.get_profile("suite"), max_examples=500)
settings.register_profile(  # the same examples for every mutant; that one fails is enough, the simplest is not sought
    "mutation",
    settings.get_profile("suite"),
    max_examples=25,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("suite")


LEFT_OUT = ("PYTEST_", "SUITE_", "MALLOC_")  # a child must not inherit what this run was started with
MANY = 10  # modules that were imported since, so that to look at their objects no more is worth a collection
frozen_modules = 0
gc.disable()  # until all tests are collected: what is imported stays, and looking for garbage in it takes 4 s


def pytest_collection_finish():
    """From now on there is garbage."""
    freeze()
    gc.enable()


def pytest_runtest_setup(item):
    """What a test defines while it runs has the profile of its module."""
    freeze()
    _load_profile(item.path, item.config)


def freeze():
    """Modules stay: each timing collects garbage first, which takes a fifth of a second over all of torch's objects."""
    global frozen_modules  # noqa: PLW0603  # of this process, as is what is frozen
    if len(sys.modules) >= frozen_modules + MANY:
        gc.collect()
        gc.freeze()
        frozen_modules = len(sys.modules)


def pytest_sessionfinish():
    """Or extension modules report all that they have as leaked."""
    gc.unfreeze()


@pytest.fixture
def few_draws(monkeypatch):
    """Intervals of aggregates, such as a precision, from few draws: where it does not matter how wide they are."""
    monkeypatch.setattr("suite.measure.scoring.pooled.AGGREGATE_RESAMPLES", 40)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """This process's environment without traces of its own pytest run, with caches of its own and a wide terminal."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    caches = tmp_path_factory.mktemp("caches")
    return {
        **inherited,
        "COLUMNS": "180",
        "XDG_CACHE_HOME": str(caches),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
    }


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory, environment):
    """A ``python`` for commands of the suite; on Linux its processes are forked from one that has imported torch."""
    if not sys.platform.startswith("linux"):
        yield sys.executable
        return
    images = forked_python.Images(tmp_path_factory.mktemp("interpreter"), [environment, quiet.environment(environment)])
    yield str(images.executable)
    images.close()


@pytest.fixture
def forking(monkeypatch, environment, interpreter):
    """Where the suite's own code starts this process's interpreter, it starts the forked one."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", interpreter)
    return interpreter


@pytest.fixture(scope="session")
def python(environment, interpreter):
    """``python(*arguments, cwd=..., env=...)`` runs the interpreter to its end; ``None`` in ``env`` removes."""

    def run(*arguments, cwd, env=None, timeout=280):
        merged = {name: value for name, value in {**environment, **(env or {})}.items() if value is not None}
        command = [interpreter, *arguments]
        return subprocess.run(
            command, cwd=cwd, env=merged, timeout=timeout, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def suite(python):
    """``suite(*arguments, cwd=...)`` runs the real ``suite`` command."""
    return lambda *arguments, **options: python("-P", "-m", "suite", *arguments, **options)


def pytest_collectstart(collector):
    """Hypothesis reads the profile where a test is defined, so it is loaded before the test's module is."""
    if isinstance(collector, pytest.Module):
        _load_profile(collector.path, collector.config)


def _load_profile(path, config):
    few = any(part in FEW for part in path.relative_to(config.rootpath).parts)
    wanted = os.environ.get("HYPOTHESIS_PROFILE", "few")
    settings.load_profile(wanted if few or wanted == "mutation" else "suite")
