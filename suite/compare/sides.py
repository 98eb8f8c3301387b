"""The two versions: what is here, and a git reference, another checkout or another release to compare it with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from suite.compare.environments import environment
from suite.core.errors import SetupError, UsageError
from suite.registry.settings import settings_file

REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?\s*(===|==|~=|!=|<=|>=|<|>|@ ).+")


@dataclass(frozen=True, kw_only=True)
class Side:
    """Code and environment. ``root`` is the checkout, ``here`` the folder in it that commands start in."""

    name: str
    root: Path
    here: Path
    python: Path
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """What stands first on this side's import path: its checkout, and the packages below ``src``."""
        return [str(path) for path in (self.root / "src", self.root) if path.is_dir()]


def current(directory: Path) -> Side:
    """The checkout around ``directory``, with its uncommitted changes, and the Python that runs this."""
    root = _top_level(directory)
    changed = [] if root is None else _git(root, "status", "--porcelain").splitlines()
    notes = (f"{len(changed)} uncommitted changes of the current checkout are compared too",) if changed else ()
    root = root or _settings_folder(directory)
    return Side(name="current", root=root, here=directory.resolve(), python=Path(sys.executable), notes=notes)


def other(text: str, here: Side, *, cache: Path) -> Side:
    """The version that ``text`` names: a folder, a requirement such as ``torch==2.14.*``, or a git reference.

    Raises `UsageError` for what is none of them and `SetupError` for an environment that cannot be built.
    """
    if Path(text).is_dir():
        return _moved(here, Path(text).resolve(), name=text)
    if REQUIREMENT.fullmatch(text.strip()):
        return in_environment(replace(here, name=text, notes=()), text, cache=cache)
    return _of_commit(text, here, cache=cache)


def in_environment(side: Side, requirement: str, *, cache: Path) -> Side:
    """The same code where ``requirement`` is installed."""
    built = environment(requirement, cache=cache)
    note = f"environment with {requirement}: {built.python.parent.parent}"
    return replace(side, python=built.python, notes=(*side.notes, note, *built.notes))


def _of_commit(text: str, here: Side, *, cache: Path) -> Side:
    if _top_level(here.root) is None:
        _check_refused(here.root)
        raise UsageError(
            f"{text!r} is neither a folder nor a requirement like 'torch==2.14.*', and {here.root} is no git "
            "repository in which it could be a reference"
        )
    found = _try_git(here.root, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}")
    if found is None:
        raise UsageError(
            f"there is no git reference {text!r} in {here.root}, nor a folder of that name; fetch it "
            f"(git fetch origin {text}; in CI check out with fetch-depth: 0), or write a package's release as "
            f"{text}==VERSION"
        )
    sha = found.strip()
    root = extracted(here.root, sha, cache=cache)
    side = _moved(here, root, name=f"{text} ({sha[:10]})")
    notes = (*_changed_dependencies(here.root, root), *_missing_submodules(here.root, sha))
    return replace(side, notes=(f"checkout of {text}: {root}", *notes))


def _check_refused(folder: Path) -> None:
    """Raise `SetupError` with git's own words where there is a repository that it refuses to read, or no git."""
    try:
        done = run_git(folder, "rev-parse", "--show-toplevel")
    except OSError as error:
        raise SetupError(f"git cannot be run ({error.strerror}); install it, or name a folder") from None
    if "dubious ownership" in done.stderr:
        raise SetupError(
            f"git does not read {folder}, which another user owns: {_first(done.stderr)}; if you trust it: git config "
            f"--global --add safe.directory {folder}"
        )


def _first(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "it printed nothing")


def _moved(here: Side, root: Path, *, name: str) -> Side:
    """The same place in another checkout: its top where the folder is not there."""
    place = root / here.here.relative_to(here.root)
    notes = _changed_dependencies(here.root, root)
    return replace(here, name=name, root=root, here=place if place.is_dir() else root, notes=notes)


def _changed_dependencies(first: Path, second: Path) -> tuple[str, ...]:
    """A note where the two pyproject.toml differ: one environment serves both unless another one is asked for."""
    texts = [path.read_bytes() if path.is_file() else b"" for path in (r / "pyproject.toml" for r in (first, second))]
    same = texts[0] == texts[1]
    return () if same else ("pyproject.toml differs; both sides run in one environment unless --env is given",)


def extracted(repository: Path, sha: str, *, cache: Path) -> Path:
    """The files of a commit in a folder of the cache, extracted once, with those of submodules that are checked out.

    Attributes that keep files out of release archives (``export-ignore``) do not count. Raises `SetupError` where files
    cannot be read or written.
    """
    folder = cache / f"commit-{sha[:16]}"
    if not folder.is_dir():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=cache))
            try:
                check_out(repository, sha, unfinished)
                _rename(unfinished, folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        except OSError as error:
            raise SetupError(
                f"the files of commit {sha[:10]} cannot be extracted to {folder}: {error}; give another --cache-dir, "
                "or a checkout's path as the reference"
            ) from error
    return folder


def check_out(repository: Path, sha: str, folder: Path) -> None:
    """Write a commit's files below ``folder``, by an index of its own; submodules as far as their commits are here.

    The commit is the user's own: links that point out of the checkout are kept. No hook is run.
    """
    with tempfile.TemporaryDirectory(prefix="suite-") as scratch:
        environ = _outside_of_hooks() | {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        for step in (["read-tree", sha], ["checkout-index", "--all", "--quiet", f"--prefix={folder.resolve()}/"]):
            done = subprocess.run(  # noqa: S603  # our own arguments
                ["git", "-C", str(repository), *step], env=environ, capture_output=True, text=True, check=False,  # noqa: S607
            )  # fmt: skip
            if done.returncode != 0:
                raise OSError(f"git {step[0]} failed: {_last(done.stderr)}")
    for path, commit in submodules(repository, sha):
        if _has_commit(repository / path, commit):
            (folder / path).mkdir(parents=True, exist_ok=True)
            check_out(repository / path, commit, folder / path)


def submodules(repository: Path, sha: str) -> list[tuple[str, str]]:
    """Path and commit of each submodule of a commit."""
    lines = _git(repository, "ls-tree", "-r", sha).splitlines()
    found = (line.partition("\t") for line in lines if line.startswith("160000 "))
    return [(path, about.split()[2]) for about, _, path in found]


def _has_commit(submodule: Path, commit: str) -> bool:
    here = (submodule / ".git").exists()
    return here and _try_git(submodule, "cat-file", "-e", f"{commit}^{{commit}}") is not None


def _missing_submodules(repository: Path, sha: str) -> tuple[str, ...]:
    gone = [path for path, commit in submodules(repository, sha) if not _has_commit(repository / path, commit)]
    return tuple(
        f"the commit's submodule {path} is not here, so the reference lacks its files: run `git submodule update "
        f"--init {path}`, or give a checkout's path as the reference"
        for path in gone
    )


def _rename(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another comparison was faster
            raise


def default_cache() -> Path:
    """Where checkouts and environments of comparisons are kept."""
    import platformdirs

    return platformdirs.user_cache_path("tradeoff-suite", appauthor=False) / "compare"


def _settings_folder(directory: Path) -> Path:
    file = settings_file(directory.resolve())
    return directory.resolve() if file is None else file.parent


def _top_level(directory: Path) -> Path | None:
    found = _try_git(directory, "rev-parse", "--show-toplevel")
    return None if found is None else Path(found.strip()).resolve()


def _git(repository: Path, *arguments: str) -> str:
    return _try_git(repository, *arguments) or ""


def _try_git(repository: Path, *arguments: str) -> str | None:
    """What git says, ``None`` where it refuses or is not installed."""
    try:
        done = run_git(repository, *arguments)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def run_git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git there, whatever repository a hook's environment names. Raises `OSError` where it is not installed."""
    return subprocess.run(  # noqa: S603  # our own arguments
        ["git", "-C", str(repository), *arguments], env=_outside_of_hooks(), capture_output=True, text=True,  # noqa: S607
        check=False,
    )  # fmt: skip


def _outside_of_hooks() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
