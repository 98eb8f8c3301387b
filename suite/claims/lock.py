"""``claims.lock``: what each claim said before its results were looked at.

The file beside the ledger holds a digest of every claim's statement, predicate, cells, conditions and seeds. A claim
that was edited afterwards is amended: it is not judged on results that its author has seen. Locking it again keeps the
old and the new text, and only runs that started later are evidence for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from suite.claims.claim import Claim
from suite.core import files
from suite.core.errors import ExpectationFileError

NAME = "claims.lock"


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """An edit of a locked claim: ``was`` and ``became`` are its locked fields that differ, ``at`` an ISO time."""

    at: str
    was: dict[str, Any]
    became: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A claim as it was locked ``at`` an ISO time."""

    digest: str
    at: str
    fields: dict[str, Any]
    amendments: tuple[Amendment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClaimsLock:
    """The locked claims by name."""

    claims: Mapping[str, Locked] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> ClaimsLock:
        """Empty where there is no file. Raises `ExpectationFileError` for one that holds something else."""
        if not path.exists():
            return cls()
        try:
            claims = msgspec.json.decode(path.read_bytes(), type=dict[str, Locked])
            for one in claims.values():
                datetime.fromisoformat(one.at)
        except (msgspec.DecodeError, ValueError, OSError) as error:
            raise ExpectationFileError(path, None, f"is no lock of claims: {error}; restore it from git") from error
        return cls(claims=claims)

    def write(self, path: Path) -> None:
        """Replace the file at once; one claim a line, so that merges stay small."""
        rows = (f"{json.dumps(name)}: {msgspec.json.encode(one).decode()}" for name, one in sorted(self.claims.items()))
        files.replace_file(path, ("{\n" + ",\n".join(rows) + "\n}\n").encode())

    def doubts(self, claims: Iterable[Claim], started: str, *, hindsight: bool = False) -> dict[str, str]:
        """By name, why a claim cannot be judged by a run that ``started`` then (ISO): not locked, or edited since.

        In ``hindsight`` a run may be older than the first lock of a claim, never than an amendment.
        """
        found = {claim.name: self._doubt(claim, started, hindsight=hindsight) for claim in claims}
        return {name: said for name, said in found.items() if said}

    def _doubt(self, claim: Claim, started: str, *, hindsight: bool) -> str:
        locked = self.claims.get(claim.name)
        lock = f"suite claims lock {claim.name}"
        if locked is None:
            return f"is not locked: `{lock}` fixes what it says before results are seen"
        if locked.digest != claim.digest:
            return f"was edited after it was locked ({_edited(locked.fields, claim)}): `{lock}`, then measure it anew"
        if _as_json(locked.fields) != _as_json(claim.locked_fields()):
            return (
                f"has a lock whose fields are not those of its digest ({_edited(locked.fields, claim)}): restore {NAME}"
            )
        older = claim.texts and started and started < locked.at
        if older and (locked.amendments or not hindsight):
            what = "edited" if locked.amendments else "locked"
            return f"was {what} on {locked.at}, after this run started: measure it anew"
        return ""

    def is_hindsight(self, claims: Iterable[Claim], started: str) -> bool:
        """Whether a run that ``started`` then (ISO) is older than the lock of one of them."""
        locked = [self.claims[claim.name].at for claim in claims if claim.name in self.claims]
        return bool(started) and any(started < at for at in locked)

    def with_locked(self, claims: Iterable[Claim], at: str = "") -> ClaimsLock:
        """With these claims locked as they are now; one that said something else before is an amendment."""
        when = at or datetime.now(UTC).isoformat(timespec="seconds")
        changed = {claim.name: self._relocked(claim, when) for claim in claims}
        return ClaimsLock(claims={**self.claims, **changed})

    def _relocked(self, claim: Claim, at: str) -> Locked:
        before, now = self.claims.get(claim.name), claim.locked_fields()
        if before is None:
            return Locked(digest=claim.digest, at=at, fields=now)
        if before.digest == claim.digest:
            return before
        differ = [key for key in now if before.fields.get(key) != now[key]]
        amendment = Amendment(
            at=at, was={key: before.fields.get(key) for key in differ}, became={key: now[key] for key in differ}
        )
        return Locked(digest=claim.digest, at=at, fields=now, amendments=(*before.amendments, amendment))


def _as_json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True)


def _edited(before: Mapping[str, Any], claim: Claim) -> str:
    """The first field that differs, as it was and as it is."""
    now = claim.locked_fields()
    key = next((key for key in now if before.get(key) != now[key]), "")
    return f"{key}: {_short(before.get(key))} -> {_short(now.get(key))}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004  # characters of a line
