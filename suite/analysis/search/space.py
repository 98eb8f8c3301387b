"""The space of a search: for each technique whether it takes part, and with which values of its sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from suite.core.composition import BASELINE, parse
from suite.core.errors import CompositionError, UsageError
from suite.registry import Registry

OUT = "-"  # a technique that takes no part
DRAWS = 300  # of which one was not seen before, unless the space is as good as exhausted


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Subsets of at most ``most`` techniques; ``options`` holds each one's variants, ``OUT`` first."""

    registry: Registry
    options: Mapping[str, tuple[str, ...]]
    most: int

    def text(self, chosen: Mapping[str, str]) -> str:
        """The canonical composition of a choice, ordered by what happens when after training.

        Raises `CompositionError` with the reason for members that do not go together.
        """
        members = [variant for variant in chosen.values() if variant != OUT]
        if len(members) > self.most:
            raise CompositionError(f"{len(members)} techniques are more than {self.most}; raise --most to try it")
        return self.registry.canonical("+".join(sorted(members, key=self.registry.stage)) or BASELINE)

    def draw(self, random: Random, seen: Iterable[str]) -> dict[str, str] | None:
        """A random choice that composes and is not ``seen``; small compositions are likelier.

        `None` where none was found.
        """
        known = set(seen)
        for _ in range(DRAWS):
            sizes = range(1, min(self.most, len(self.options)) + 1)
            (size,) = random.choices(sizes, [1 / size for size in sizes])
            names = random.sample(list(self.options), size)
            chosen = self.nothing() | {name: random.choice(self.options[name][1:]) for name in names}
            try:
                text = self.text(chosen)
            except CompositionError:
                continue
            if text not in known:
                return chosen
        return None

    def nothing(self) -> dict[str, str]:
        """The choice of the baseline."""
        return dict.fromkeys(self.options, OUT)


def space(registry: Registry, texts: Iterable[str], *, most: int) -> SearchSpace:
    """The space of named techniques: a name stands for its default and its sweep, with parameters for itself.

    Raises `UsageError` for an unknown technique, a composition, none, or fewer than one member allowed.
    """
    if most < 1:
        raise UsageError(f"--most={most}: a composition needs at least one technique")
    options: dict[str, tuple[str, ...]] = {}
    for text in texts:
        members = parse(text)
        if len(members) > 1:
            raise UsageError(f"{text!r} is a composition; the search composes itself: name its techniques one by one")
        variants = registry.variants(text, sweep=True)
        if variants != [BASELINE]:
            options[members[0].name] = tuple(dict.fromkeys((*options.get(members[0].name, (OUT,)), *variants)))
    if not options:
        raise UsageError("there is no technique to search among; name some with --technique")
    return SearchSpace(registry=registry, options=options, most=most)
