"""Modules that have moved are found under their old names."""
# the expected value stands on the left

import importlib
import sys

import pytest

from suite.core.moved import MOVED, new_name


@pytest.fixture(autouse=True)
def forget():
    """Old names are imported anew by each test."""
    yield
    for name in [name for name in sys.modules if new_name(name)]:
        del sys.modules[name]


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_name_gives_the_module_of_the_new_one_with_a_warning(old, new):
    """The same module object: a class is the same class under both names."""
    with pytest.warns(FutureWarning, match="is called .* now"):
        module = importlib.import_module(old)
    assert importlib.import_module(new) is module
    assert (new, new) == (module.__name__, module.__spec__.name)


def test_what_lies_below_an_old_name_has_moved_with_it():
    """A module of a package too."""
    with pytest.warns(FutureWarning, match=r"suite\.catalog\.workloads"):
        module = importlib.import_module("suite.workloads.zoo")
    assert "suite.catalog.workloads.zoo" == module.__name__


def test_a_module_that_a_function_of_its_package_hides_is_refused_with_its_new_name():
    """Importing it by its old name would put the module in the function's place."""
    with pytest.warns(FutureWarning), pytest.raises(ModuleNotFoundError, match=r"catalog\.scores\.regression now"):
        importlib.import_module("suite.scores.regression")
    assert callable(importlib.import_module("suite.catalog.scores").regression)


def test_a_name_that_never_was_stays_unknown():
    """The error names what was asked for."""
    with pytest.raises(ModuleNotFoundError, match=r"suite\.nothing"):
        importlib.import_module("suite.nothing")
    with (
        pytest.warns(FutureWarning, match="is called"),
        pytest.raises(ModuleNotFoundError, match=r"suite\.catalog\.scores\.nothing"),
    ):
        importlib.import_module("suite.scores.nothing")
