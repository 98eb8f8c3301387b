"""What a reference's text names, in small git repositories."""
# the expected value stands on the left

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suite.compare import environments, sides
from suite.compare.environments import dependents
from suite.compare.process import moved_path
from suite.errors import SetupError, UsageError

IDENTITY = ("-c", "user.name=someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")


def git(folder, *arguments):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *IDENTITY, *arguments]
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Two commits of one file in a subfolder."""
    folder = tmp_path / "repository"
    (folder / "inner").mkdir(parents=True)
    git(folder, "init", "-q")
    for text in ("old", "new"):
        (folder / "inner" / "code.py").write_text(text, "utf-8")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", text)
    return folder


def test_a_git_reference_is_extracted_once_and_keeps_the_place_in_the_repository(repository, tmp_path):
    """The user stands in a subfolder; the repository itself is left alone."""
    here = sides.current(repository / "inner")
    found = [sides.other("HEAD~1", here, cache=tmp_path / "cache") for _ in range(2)]
    assert found[0] == found[1]
    assert "old" == (found[0].here / "code.py").read_text("utf-8")
    assert "inner" == found[0].here.name
    assert "" == git(repository, "status", "--porcelain")
    assert 1 == len(git(repository, "worktree", "list").splitlines())


def test_the_name_of_a_reference_holds_its_commit(repository, tmp_path):
    """A branch moves on."""
    found = sides.other("HEAD~1", sides.current(repository), cache=tmp_path / "cache")
    assert f"HEAD~1 ({git(repository, 'rev-parse', 'HEAD~1')[:10]})" == found.name


def test_uncommitted_changes_are_said(repository):
    """They are compared too."""
    assert () == sides.current(repository).notes
    (repository / "inner" / "code.py").write_text("dirty", "utf-8")
    assert ("1 uncommitted changes of the current checkout are compared too",) == sides.current(repository).notes


def test_a_folder_is_another_checkout(repository, tmp_path):
    """Its top, where the place in the repository is not there."""
    other = tmp_path / "other"
    other.mkdir()
    found = sides.other(str(other), sides.current(repository / "inner"), cache=tmp_path)
    assert (other, other) == (found.root, found.here)


def test_a_reference_that_does_not_exist_says_how_to_get_it(repository, tmp_path):
    """The usual cause is a shallow clone in CI."""
    with pytest.raises(UsageError, match=r"no git reference 'nowhere'.*fetch-depth: 0.*nowhere==VERSION"):
        sides.other("nowhere", sides.current(repository), cache=tmp_path)


def test_outside_of_a_repository_there_are_no_references(tmp_path):
    """Only folders and requirements."""
    with pytest.raises(UsageError, match="no git repository"):
        sides.other("main", sides.current(tmp_path), cache=tmp_path)


@pytest.mark.parametrize(
    "text", ["torch==2.14.*", "torch >= 2.12", "my-package[all]~=1.0", "x @ https://example.org/x"]
)
def test_a_requirement_is_the_same_code_in_another_environment(text, repository, tmp_path, monkeypatch):
    """What says a release, or where from."""
    monkeypatch.setattr(sides, "environment", lambda _, cache: cache / "e" / "bin" / "python")
    here = sides.current(repository)
    found = sides.other(text, here, cache=tmp_path)
    assert (here.root, tmp_path / "e" / "bin" / "python", text) == (found.root, found.python, found.name)


def test_an_environment_that_cannot_be_built_shows_the_builders_last_lines(tmp_path, monkeypatch):
    """Not only that it failed; and what was half built is not taken for whole the next time."""
    builder = tmp_path / "uv"
    builder.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such version: 99')\n", "utf-8")
    builder.chmod(0o755)
    monkeypatch.setattr(environments, "_uv", lambda: str(builder))
    for _ in range(2):
        with pytest.raises(SetupError, match=r"with tabulate==99 cannot be built:\n  no such version: 99"):
            environments.environment("tabulate==99", cache=tmp_path / "cache")


def test_packages_that_depend_on_the_changed_one_are_installed_anew():
    """Directly or through others; what the requirement itself needs is the installer's business."""
    requires = {"torch": ["sympy"], "torchvision": ["torch"], "models": ["torchvision"], "pandas": ["numpy"]}
    assert ["models", "torchvision"] == dependents("torch", requires)
    assert [] == dependents("pandas", requires)


def test_the_import_path_moves_to_the_other_checkout():
    """Also where the checkout lies in a cache below the current one."""
    here, cached = Path("/a"), Path("/a/.nox/compare/checkout")
    environ = {"PYTHONPATH": os.pathsep.join(["/a/src", "/b"])}
    assert os.pathsep.join(["/a/.nox/compare/checkout/src", "/b"]) == moved_path(environ, cached, here)
    assert environ["PYTHONPATH"] == moved_path(environ, here, cached)
