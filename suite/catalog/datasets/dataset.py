"""A data set in a folder: which files it has, whether they are there, and whether they are what they should be.

A run never downloads. What is not there makes the cells that need it unavailable; what is there and damaged is an
error, since nobody meant it to be so.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.core.errors import SetupError, UnavailableError
from suite.registry.settings import DATA_VARIABLE, data_root

CHUNK = 1 << 20  # bytes that are hashed at a time


def _nothing(_file: Path) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """``files`` (name to MD5, the publisher's) in ``folder`` below the root of all data, as torchvision lays them out.

    ``download(root)`` fetches them. ``damage(file)`` says what is wrong with a file in terms of its format, before
    its checksum, which only says that something is.
    """

    name: str
    folder: str
    files: Mapping[str, str]
    download: Callable[[Path], None]
    damage: Callable[[Path], str | None] = _nothing

    def absent(self, root: Path) -> list[str]:
        """The files that are not below ``root``."""
        return [name for name in self.files if not (root / self.folder / name).is_file()]

    def digest(self) -> str:
        """A name of the data: a hash of their files' checksums, which `require` holds them to."""
        return hashlib.sha256("".join(self.files.values()).encode()).hexdigest()[:16]

    def root(self) -> Path:
        """Where runs look for the data: what `suite.registry.settings.data_root` says here."""
        return data_root(Path.cwd())

    def require(self, root: Path) -> None:
        """Nothing, if all files lie below ``root`` and are whole.

        Raises `UnavailableError` if all files are missing, `SetupError` if some are missing or one is damaged.
        """
        absent = self.absent(root)
        if len(absent) == len(self.files):
            raise UnavailableError(self._not_there(root))
        if absent:
            raise SetupError(self._half_there(root, absent))
        self.check(root)

    def check(self, root: Path) -> None:
        """Raise `SetupError` for the first file below ``root`` that is there and damaged."""
        for name, expected in self.files.items():
            file = root / self.folder / name
            wrong = _wrong(file, expected, self.damage) if file.is_file() else None
            if wrong is not None:
                raise SetupError(f"{file} {wrong}; delete it and run `{self.command(root)}`")

    def command(self, root: Path) -> str:
        """What to type to have the data below ``root``."""
        return shlex.join(["suite", "data", self.name, "--root", str(root)])

    def _not_there(self, root: Path) -> str:
        return (
            f"the files of {self.name} are not in {root / self.folder}: run `{self.command(root)}` to download them, "
            f"or set {DATA_VARIABLE} to the folder that holds {self.folder}"
        )

    def _half_there(self, root: Path, absent: list[str]) -> str:
        return (
            f"{self.name} is incomplete: {', '.join(absent)} missing in {root / self.folder}; "
            f"run `{self.command(root)}` to download the rest"
        )


def _wrong(file: Path, expected: str, damage: Callable[[Path], str | None]) -> str | None:
    """What is wrong with a file that is there."""
    try:
        found = damage(file)
        return found if found is not None else _other_checksum(file, expected)
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _other_checksum(file: Path, expected: str) -> str | None:
    found = md5(file)
    return None if found == expected else f"is not the published file: its MD5 is {found}, not {expected}"


def md5(file: Path) -> str:
    """The MD5 of a file, as publishers of data sets give it."""
    found = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()
