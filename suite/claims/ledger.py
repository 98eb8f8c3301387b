"""Read the ledger: ``expectations/claims/*.toml`` of the suite, ``claims/*.toml`` of a user's repository.

One table for each claim, named by its identifier. Every fault is an `ExpectationFileError` with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from suite.claims.claim import ANYWHERE, WHYS, Claim, ClaimKind, Standing
from suite.claims.facts import FACTS
from suite.claims.predicate import Names, Predicate, parse
from suite.core.errors import ExpectationFileError, UsageError, unknown
from suite.core.metrics import METRICS
from suite.core.toml_lines import Lines
from suite.core.toml_section import Section
from suite.gate.files.files import read
from suite.gate.files.toml import toml

KEYS = (
    *("kind", "source", "quote", "statement", "holds", "cells", "where", "ceiling", "said", "measured"),
    *("figure_unverified", "why", "chosen_on", "expected", "counterexample", "note"),
)


def read_ledger(paths: Iterable[Path]) -> tuple[Claim, ...]:
    """All claims of some files, in their order. Scores are known as metrics once the workloads are loaded.

    Raises `ExpectationFileError` for what is not understood, and for a name that is used twice.
    """
    known = frozenset(METRICS)
    found: dict[str, Claim] = {}
    for path in paths:
        for claim in read_claims(read(path), path, known):
            if claim.name in found:
                first = found[claim.name]
                raise ExpectationFileError(
                    path, claim.line, f"{claim.name} is used twice, first at {first.path}:{first.line}; rename one"
                )
            found[claim.name] = claim
    return tuple(found.values())


def read_claims(text: str, path: Path, metrics: frozenset[str]) -> list[Claim]:
    """The claims of a file's ``text``."""
    text = text.replace("\r\n", "\n")
    root = Section(data=toml(text, path), keys=(), path=path, lines=Lines(text))
    sections = [(name, root.section(name)) for name in root.data]
    return [_claim(name, section, metrics) for name, section in sections if section is not None]


def _claim(name: str, section: Section, metrics: frozenset[str]) -> Claim:
    section.allow(KEYS)
    for key, example in (("kind", 'kind = "empirical"'), ("source", 'source = "article, 3.1"')):
        section.require(key, example)
    section.require("statement", 'statement = "what is claimed, in one sentence"')
    section.choice("kind", list(ClaimKind))
    section.choice("why", WHYS)
    kind = ClaimKind(section.text("kind") or "")
    names = Names(cells=_cells(section), metrics=metrics, facts=frozenset(FACTS))
    parts = _parts(section, names)
    if not parts and kind is not ClaimKind.ADVICE:
        raise section.fault('holds is missing; add the predicate, such as holds = "speedup(ours) >= 2"')
    return Claim(
        name=name,
        kind=kind,
        source=section.text("source") or "",
        statement=section.text("statement") or "",
        quote=section.text("quote") or "",
        parts=parts,
        cells=names.cells,
        condition=_predicate(section, "where", names),
        ceiling=_predicate(section, "ceiling", names),
        said=section.number("said"),
        measured=_predicate(section, "measured", names),
        figure_unverified=_flag(section, "figure_unverified"),
        why=section.text("why") or "",
        chosen_on=_seeds(section),
        expected=_expected(section),
        counterexample=section.text("counterexample") or "",
        note=section.text("note") or "",
        path=str(section.path),
        line=section.lines.of(*section.keys) or 0,
    )


def _cells(section: Section) -> dict[str, tuple[str, ...]]:
    """By alias the cells, as ``workload/technique``; a list of them is a sweep."""
    table = section.section("cells")
    found: dict[str, tuple[str, ...]] = {}
    for alias in table.data if table else ():
        assert table is not None  # noqa: S101  # it has an alias
        if not alias.isidentifier():
            raise table.fault(f"{alias!r} cannot stand in a predicate; use letters, digits and _", alias)
        found[alias] = table.texts(alias) if isinstance(table.data[alias], list) else (table.text(alias) or "",)
        wrong = next((cell for cell in found[alias] if "/" not in cell), None)
        if wrong is not None or not found[alias]:
            raise table.fault(f'a cell is "workload/technique", not {wrong!r}', alias)
    return found


def _parts(section: Section, names: Names) -> dict[str, Predicate]:
    if isinstance(section.data.get("holds"), Mapping):
        table = section.section("holds")
        assert table is not None  # noqa: S101  # it is a table
        return {name: part for name in table.data if (part := _predicate(table, name, names)) is not None}
    whole = _predicate(section, "holds", names)
    return {} if whole is None else {"": whole}


def _predicate(section: Section, key: str, names: Names) -> Predicate | None:
    text = section.text(key)
    if text is None:
        return None
    try:
        return parse(text, names)
    except UsageError as error:
        raise section.fault(str(error), key) from None


def _flag(section: Section, key: str) -> bool:
    value = section.data.get(key, False)
    if not isinstance(value, bool):
        raise section.fault(f"{key} must be true or false, not {value!r}", key)
    return value


def _seeds(section: Section) -> tuple[int, ...]:
    value: Any = section.data.get("chosen_on", [])
    if not isinstance(value, list) or not all(type(seed) is int and seed >= 0 for seed in value):
        raise section.fault(f"chosen_on must be a list of seeds such as [0, 1], not {value!r}", "chosen_on")
    return tuple(value)


def _expected(section: Section) -> dict[str, Standing]:
    given = section.data.get("expected")
    if given is None:
        return {}
    levels = given if isinstance(given, Mapping) else {ANYWHERE: given}
    for level, standing in levels.items():
        if standing not in list(Standing):
            raise section.fault(str(unknown("standing", str(standing), list(Standing))), "expected")
        if level != ANYWHERE and "-" not in level:
            raise section.fault(
                f"{level!r} is no machine or family; `suite doctor` prints those of this one", "expected"
            )
    return {level: Standing(standing) for level, standing in levels.items()}
