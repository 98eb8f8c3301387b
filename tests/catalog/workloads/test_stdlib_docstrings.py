"""Docstrings by package: which count, and that no part holds another's."""
# the expected value stands on the left

from suite.catalog.workloads import stdlib_docstrings
from suite.catalog.workloads.stdlib_docstrings import MOST, paragraphs, parted

PACKAGES = {"a": ("a", "_a"), "b": ("b",)}


def source(*texts):
    return "\n".join(f'def f{place}():\n    """{text}"""\n' for place, text in enumerate(texts)).encode()


def many(word, count=300):
    return source(*(f"{word} number {number} says what it does in some words." for number in range(count)))


def test_the_first_paragraph_of_functions_methods_and_classes_counts():
    """On one line; a short one says too little, and a file that does not parse says nothing."""
    text = '''class C:
    """Describes the class in more than
    forty characters.

    And more."""

    async def f(self):
        """Short."""
'''
    assert ["Describes the class in more than forty characters."] == list(paragraphs(text.encode()))
    assert [] == list(paragraphs(b"def f(:"))
    assert [] == list(paragraphs(b"\x00"))


def test_parts_share_no_docstring_and_hold_no_more_of_a_package_than_they_take():
    """What stands in two packages tells neither; modules of one package count together."""
    both = "A sentence that stands in both packages, word by word."
    modules = {"a": (many("one"),), "_a": (source(both), many("two")), "b": (source(both), many("three"))}
    parts = parted(modules, PACKAGES)
    texts = [text for part in parts.values() for text in part.texts]
    assert len(texts) == len(set(texts))
    assert both not in texts
    for part, found in parts.items():
        assert [MOST[part]] * 2 == [found.places.count(place) for place in (0, 1)]
    assert {"one", "two"} == {t.split()[0] for t, p in zip(*parts["test"], strict=True) if p == 0}


def test_the_part_of_a_docstring_does_not_depend_on_the_others():
    """Another Python, which has fewer, tests on no docstring that calibrated elsewhere."""
    whole = parted({"a": (many("one"),), "b": (many("two"),)}, PACKAGES)
    fewer = parted({"a": (many("one", 80),), "b": (many("two", 80),)}, PACKAGES)
    for part in MOST:
        others = {text for other in MOST if other != part for text in whole[other].texts}
        assert others.isdisjoint(fewer[part].texts)
    assert set(stdlib_docstrings.PARTS) == set(MOST)
