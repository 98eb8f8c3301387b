"""The digest of the code that figures come from."""
# the expected value stands on the left

import importlib
import re
import shutil
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.bench import sources
from suite.bench.sources import digest
from suite.core.errors import SetupError
from suite.registry.settings import PACKAGE


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Forget the modules that a test imports."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def small_suite(monkeypatch):
    """One room for the whole package, whose hundreds of files each digest would read."""
    monkeypatch.setattr(sources, "PACKAGE", PACKAGE / "core" / "stats")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose `nets_of_mine` imports a helper from a package of its own."""
    return make(tmp_path / "project", monkeypatch)


def make(folder, monkeypatch):
    (folder / "parts_of_mine").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.tradeoff-suite]\n", "utf-8")
    (folder / "nets_of_mine.py").write_text("import json\nfrom parts_of_mine import blocks\n", "utf-8")
    (folder / "parts_of_mine" / "__init__.py").write_text("", "utf-8")
    (folder / "parts_of_mine" / "blocks.py").write_text("WIDTH = 64\n", "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def loaded(*names):
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if "of_mine" in name]:
        del sys.modules[name]
    for name in names:
        importlib.import_module(name)


def of(project, *modules):
    loaded("nets_of_mine")
    return digest(modules or ["nets_of_mine"], directory=project)


def test_a_digest_is_sixteen_hexadecimal_digits_and_repeats(project):
    """It stands in the header of a run."""
    assert re.fullmatch("[0-9a-f]{16}", of(project))
    assert of(project) == of(project)


@pytest.mark.parametrize("name", ["nets_of_mine.py", "parts_of_mine/blocks.py", "parts_of_mine/__init__.py"])
def test_a_change_in_the_module_or_in_what_it_imported_changes_the_digest(project, name):
    """A network is often defined beside the module that declares it."""
    before = of(project)
    (project / name).write_text((project / name).read_text("utf-8") + "WIDTH = 256\n", "utf-8")
    assert before != of(project)


def test_a_file_that_is_not_loaded_does_not_count(project):
    """A note or a test that is edited meanwhile is no reason to measure again."""
    before = of(project)
    (project / "elsewhere_of_mine.py").write_text("WIDTH = 256\n", "utf-8")
    (project / "parts_of_mine" / "unused.py").write_text("", "utf-8")
    assert before == of(project)


def test_a_module_given_by_its_file_counts_as_by_its_name(project):
    """`--load nets.py` and `load = ["nets"]` are the same code."""
    assert of(project) == of(project, project / "nets_of_mine.py") == of(project, str(project / "nets_of_mine.py"))


def test_two_checkouts_of_the_same_code_agree(project, tmp_path, monkeypatch):
    """Absolute paths are no part of the digest."""
    before = of(project)
    shutil.copytree(project, tmp_path / "deep" / "er" / "other")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(project)])
    monkeypatch.syspath_prepend(str(tmp_path / "deep" / "er" / "other"))
    assert before == of(tmp_path / "deep" / "er" / "other")


def test_the_order_of_imports_and_of_modules_does_not_matter(project):
    """A set of files, not a history."""
    loaded("parts_of_mine.blocks", "nets_of_mine")
    one = digest(["nets_of_mine", "parts_of_mine.blocks"], directory=project)
    loaded("nets_of_mine", "parts_of_mine.blocks")
    assert one == digest(["parts_of_mine.blocks", "nets_of_mine"], directory=project)


def test_code_outside_the_project_counts_where_it_was_given(project, tmp_path):
    """A module may lie beside the repository."""
    outside = tmp_path / "outside"
    outside.mkdir()
    file = outside / "lab_of_mine.py"
    file.write_text("A = 1\n", "utf-8")
    loaded("nets_of_mine")
    before = digest(["nets_of_mine", file], directory=project)
    assert before != digest(["nets_of_mine"], directory=project)
    file.write_text("A = 2\n", "utf-8")
    assert before != digest(["nets_of_mine", file], directory=project)


def test_installed_packages_do_not_count_unless_given(project, monkeypatch):
    """Their versions stand in the header; an installed package of declarations is the user's code all the same."""
    packages = project / ".venv" / "lib" / "python3.11" / "site-packages"
    for name in ("declares_of_mine", "library_of_mine"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text("A = 1\n", "utf-8")
    monkeypatch.syspath_prepend(str(packages))
    names = ("nets_of_mine", "declares_of_mine", "library_of_mine")

    def both():
        loaded(*names)
        return digest(["nets_of_mine"], directory=project), digest(["declares_of_mine"], directory=project)

    before = both()
    (packages / "library_of_mine" / "__init__.py").write_text("A = 2\n", "utf-8")
    assert before == both()
    (packages / "declares_of_mine" / "__init__.py").write_text("A = 2\n", "utf-8")
    after = both()
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_the_suites_own_sources_and_version_count(project, monkeypatch, tmp_path):
    """A mended measurement makes other figures."""
    monkeypatch.setattr(sources, "PACKAGE", PACKAGE)
    before = of(project)
    copy = tmp_path / "suite"
    copy.mkdir()
    monkeypatch.setattr(sources, "PACKAGE", copy)
    changed = of(project)
    assert before != changed
    (copy / "timing.py").write_text("A = 1\n", "utf-8")
    assert changed != of(project)
    monkeypatch.setattr(sources, "__version__", "9.9.9")
    assert before != of(project)


def test_without_user_modules_there_is_still_the_suites_digest(tmp_path):
    """Built-in workloads alone can be resumed too."""
    assert digest([], directory=tmp_path) == digest([], directory=tmp_path)


@pytest.mark.parametrize("name", ["no_such_module", "no.such.module", "no_such.py"])
def test_a_module_that_cannot_be_found_is_named(project, name):
    """With the place where it is listed."""
    with pytest.raises(SetupError, match=f"cannot find the source of '{re.escape(name)}'; correct it in"):
        digest([name], directory=project)


def test_a_lazy_module_is_not_woken(project):
    """Looking for files must not import anything."""
    spec = importlib.util.find_spec("nets_of_mine")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    sys.modules["lazy_of_mine"] = lazy
    spec.loader.exec_module(lazy)
    digest([], directory=project)
    assert "parts_of_mine" not in sys.modules


@settings(max_examples=2)  # each reads all sources three times
@given(text=st.text(alphabet="abc\n", max_size=20))
def test_equal_sources_have_equal_digests(tmp_path_factory, text):
    """And it is the content that counts, not when it was written."""
    folder = tmp_path_factory.mktemp("x")
    (folder / "pyproject.toml").write_text("[tool.tradeoff-suite]\n", "utf-8")
    file = folder / "m.py"
    file.write_text(text, "utf-8")
    before = digest([file], directory=folder)
    file.write_text(text, "utf-8")
    assert before == digest([file], directory=folder)
    file.write_text(f"{text}#", "utf-8")
    assert before != digest([file], directory=folder)


@pytest.mark.parametrize(
    "reads", ['os.environ["RATE_OF_MINE"]', 'os.environ.get("RATE_OF_MINE")', 'os.getenv("RATE_OF_MINE")']
)
def test_an_environment_variable_that_the_code_names_counts(project, monkeypatch, reads):
    """A training may depend on it; what no file names does not count."""
    (project / "rated.py").write_text(f"import os\nRATE = os.{reads}\n", "utf-8")
    before = digest([project / "rated.py"], directory=project)
    monkeypatch.setenv("OTHER_OF_MINE", "1")
    assert before == digest([project / "rated.py"], directory=project)
    monkeypatch.setenv("RATE_OF_MINE", "0.1")
    assert before != digest([project / "rated.py"], directory=project)
