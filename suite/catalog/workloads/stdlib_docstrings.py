"""Docstrings of Python's standard library, each with the package that it is from.

The first paragraph of every function's, method's and class's docstring that is long enough; one that stands in two
packages is left out. Which part a docstring belongs to follows from a hash of its text, so that one that is missing in
another Python moves no other. Shapes: N docstrings.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

SHORTEST = 40  # characters of a paragraph
MOST = {"train": 20, "validation": 20, "test": 24}  # docstrings of a package
PARTS = ("train", "validation", *["test"] * 2)  # by a hash of the text


class Labelled(NamedTuple):
    """Texts [N] and the place of each one's package [N]."""

    texts: tuple[str, ...]
    places: tuple[int, ...]


def parted(modules: Mapping[str, Iterable[bytes]], packages: Mapping[str, Iterable[str]]) -> dict[str, Labelled]:
    """By part, docstrings of ``packages``, each of which is several modules."""
    found = [sorted({text for name in names for text in _of(modules.get(name, ()))}) for names in packages.values()]
    often = Counter(text for texts in found for text in texts)
    parts: dict[str, list[tuple[str, int]]] = {part: [] for part in MOST}
    for place, texts in enumerate(found):
        for part, chosen in _shared_out(text for text in texts if often[text] == 1).items():
            parts[part] += [(text, place) for text in chosen]
    return {part: _mixed(rows) for part, rows in parts.items()}


def paragraphs(source: bytes) -> Iterator[str]:
    """The first paragraph of each docstring of functions and classes, on one line; nothing of a file with errors."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
            if len(text) >= SHORTEST:
                yield text


def _of(files: Iterable[bytes]) -> Iterator[str]:
    for source in files:
        yield from paragraphs(source)


def _shared_out(texts: Iterable[str]) -> dict[str, list[str]]:
    """By part, at most as many as it takes, in the order of the hashes."""
    found: dict[str, list[str]] = {part: [] for part in MOST}
    for text in sorted(texts, key=_hash):
        part = PARTS[_hash(text)[0] % len(PARTS)]
        if len(found[part]) < MOST[part]:
            found[part].append(text)
    return found


def _mixed(rows: Iterable[tuple[str, int]]) -> Labelled:
    texts, places = zip(*sorted(rows, key=lambda row: _hash(row[0])), strict=True)
    return Labelled(texts, places)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
