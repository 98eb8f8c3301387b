"""What a reference's text names, in small git repositories."""
# the expected value stands on the left

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from suite.compare import environments, sides
from suite.compare.environments import Built, dependents, tied
from suite.compare.process import moved_path
from suite.compare.sides import Side
from suite.core.errors import SetupError, UsageError

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


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside"])
def test_a_committed_link_that_points_outside_is_kept(target, repository, tmp_path):
    """The commit is the user's own."""
    (repository / "link").symlink_to(target)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "link")
    found = sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert target == str((found.root / "link").readlink())


def test_a_commit_that_cannot_be_extracted_is_told_and_leaves_nothing_behind(repository, tmp_path, monkeypatch):
    """The commit, the reason and what to do."""

    def check_out(_repository, _sha, folder):
        (folder / "half").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sides, "check_out", check_out)
    sha = git(repository, "rev-parse", "HEAD")[:10]
    with pytest.raises(SetupError, match=rf"commit {sha} cannot be extracted.*No space.*--cache-dir"):
        sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert [] == list((tmp_path / "cache").iterdir())


def test_files_that_release_archives_leave_out_are_there(repository, tmp_path):
    """`export-ignore` is about tarballs; a benchmark folder is what is compared."""
    (repository / ".gitattributes").write_text("inner/ export-ignore\n", "utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "ignored")
    found = sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert "new" == (found.root / "inner" / "code.py").read_text("utf-8")


def with_submodule(repository, tmp_path):
    part = tmp_path / "part"
    part.mkdir()
    git(part, "init", "-q")
    (part / "net.py").write_text("part", "utf-8")
    git(part, "add", "-A")
    git(part, "commit", "-qm", "part")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(part), "vendor")
    git(repository, "commit", "-qm", "submodule")


def test_a_submodule_that_is_checked_out_here_is_there_too(repository, tmp_path):
    """At the commit that the reference names."""
    with_submodule(repository, tmp_path)
    found = sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert "part" == (found.root / "vendor" / "net.py").read_text("utf-8")


def test_a_submodule_that_is_not_here_is_said_with_its_remedy(repository, tmp_path):
    """Its modules cannot be imported."""
    with_submodule(repository, tmp_path)
    git(repository, "submodule", "deinit", "--force", "vendor")
    found = sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert "the commit's submodule vendor is not here" in found.notes[-1]
    assert "git submodule update --init vendor" in found.notes[-1]


def test_a_repository_of_another_user_is_said_in_gits_words(repository, tmp_path, monkeypatch):
    """With the command that makes git read it."""

    def refuse(*_):
        said = f"fatal: detected dubious ownership in repository at '{repository}'\n"
        return subprocess.CompletedProcess([], 128, "", said)

    monkeypatch.setattr(sides, "run_git", refuse)
    with pytest.raises(SetupError, match=r"dubious ownership.*git config --global --add safe\.directory"):
        sides.other("HEAD", Side(name="here", root=repository, here=repository, python=Path("p")), cache=tmp_path)


def test_a_cache_that_cannot_be_made_is_told(repository, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "cache").touch()
    with pytest.raises(SetupError, match=r"cannot be extracted.*--cache-dir"):
        sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")


def test_a_hooks_environment_names_no_other_repository(repository, tmp_path, monkeypatch):
    """Git sets these for hooks, and a worktree's archive would be looked for in the wrong place."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    found = sides.other("HEAD", sides.current(repository), cache=tmp_path / "cache")
    assert "new" == (found.root / "inner" / "code.py").read_text("utf-8")


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
    monkeypatch.setattr(sides, "environment", lambda _, cache: Built(cache / "e" / "bin" / "python"))
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
        with pytest.raises(SetupError, match=r"with tabulate==99.* cannot be built:\n  no such version: 99"):
            environments.environment("tabulate==99", cache=tmp_path / "cache")


BUILDER = """#!{python}
import sys, time
from pathlib import Path
here, arguments = Path(__file__).parent, sys.argv[1:]
with (here / "calls").open("a") as calls:
    print(*arguments, file=calls)
if arguments[0] == "venv":
    folder = Path(arguments[-1])
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("#!/bin/sh\\necho " + str(folder) + "\\n")
    (folder / "bin" / "python").chmod(0o755)
    time.sleep({seconds})
elif "--constraint" in arguments and {refuses}:
    sys.exit("no set of releases fits")
"""


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """Install a made-up uv, which may be slow or refuse constraints; returns how to, and its calls so far."""
    file = tmp_path / "uv"
    monkeypatch.setattr(environments, "_uv", lambda: str(file))

    def install(*, seconds=0, refuses=False):
        file.write_text(BUILDER.format(python=sys.executable, seconds=seconds, refuses=refuses), "utf-8")
        file.chmod(0o755)

    def calls():
        return (tmp_path / "calls").read_text("utf-8").splitlines()

    return install, calls


def test_what_is_installed_here_keeps_its_version_but_the_required_package(builder, tmp_path):
    """The installer gets them as constraints; built once."""
    install, calls = builder
    install()
    built = [environments.environment("tabulate==0.9.0", cache=tmp_path / "cache") for _ in range(2)]
    assert built[0] == built[1] == Built(built[0].python)
    assert ["venv", "pip"] == [call.split()[0] for call in calls()]
    kept = (built[0].python.parents[1] / environments.CONSTRAINTS).read_text("utf-8").splitlines()
    assert f"pytest=={pytest.__version__}" in kept
    assert not any(line.startswith("tabulate==") for line in kept)


def test_an_environment_is_built_without_constraints_where_they_leave_no_choice_and_that_is_said(builder, tmp_path):
    """Each time, not only when it is built."""
    install, calls = builder
    install(refuses=True)
    here = sides.current(tmp_path)
    for _ in range(2):
        found = sides.in_environment(here, "tabulate==0.9.0", cache=tmp_path / "cache")
        assert "tabulate==0.9.0 conflicts with the versions installed here" in found.notes[-1]
    assert [False, True, False] == ["--constraint" in call for call in calls()]


def test_two_comparisons_at_once_build_an_environment_once(builder, tmp_path):
    """The second one waits and finds it whole."""
    install, calls = builder
    install(seconds=0.3)
    with ThreadPoolExecutor() as pool:
        made = [pool.submit(environments.environment, "tabulate==0.9.0", cache=tmp_path / "cache") for _ in range(2)]
    assert made[0].result() == made[1].result()
    assert 2 == len(calls())


def test_a_cache_that_can_hold_no_environment_is_told(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "cache").touch()
    with pytest.raises(SetupError, match=r"no environment can be kept in .*cache.*--cache-dir"):
        environments.environment("tabulate==0.9.0", cache=tmp_path / "cache")


def test_packages_of_one_release_are_free_to_change_together():
    """A torchvision is made for one torch, and a torch for one triton; sympy may be any of many."""
    exact = {"torch": ["triton"], "torchvision": ["torch"], "triton": [], "sympy": []}
    assert {"torch", "torchvision", "triton"} == tied("torch", exact)
    assert {"sympy"} == tied("sympy", exact)


def test_packages_that_depend_on_the_changed_one_are_installed_anew():
    """Directly or through others; what the requirement itself needs is the installer's business."""
    requires = {"torch": ["sympy"], "torchvision": ["torch"], "models": ["torchvision"], "pandas": ["numpy"]}
    assert ["models", "torchvision"] == dependents("torch", requires)
    assert [] == dependents("pandas", requires)


def test_the_import_path_moves_to_the_other_checkout():
    """Also where the checkout lies in a cache below the current one."""
    here, cached = (Side(name=root, root=Path(root), here=Path(root), python=Path("python"))
                    for root in ("/a", "/a/.nox/compare/checkout"))  # fmt: skip
    environ = {"PYTHONPATH": os.pathsep.join(["/a/src", "/b"])}
    assert ["/a/.nox/compare/checkout/src", "/b"] == moved_path(environ, cached, here)
    assert ["/a/src", "/b"] == moved_path(environ, here, cached)
