"""What came and went between two counts."""
# the expected value stands on the left

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from suite.core.fingerprints import AT, differences

COPY, MOVED = f"aten.copy_{AT}model.py:forward:3f2a", f"aten.copy_{AT}model.py:head:11aa"
RELU = f"aten.relu{AT}model.py:forward:0b0b"
KEYS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x.py:f:1", "y.py:g:2"])).map(AT.join),
    st.integers(1, 9),
)


def test_what_came_is_told_with_its_present_line():
    """The most first."""
    said = differences({COPY: 2, RELU: 2}, {RELU: 1}, {COPY: "model.py:41", RELU: "model.py:38"})
    assert ["+2 aten.copy_, at model.py:41", "+1 aten.relu, at model.py:38"] == said


def test_what_went_is_told_with_its_function_or_its_former_line():
    """A stored fingerprint knows no line."""
    assert ["-1 aten.relu, in model.py:forward"] == differences({COPY: 1}, {COPY: 1, RELU: 1}, {})
    assert ["-1 aten.relu, was at model.py:9"] == differences({}, {RELU: 1}, {}, {RELU: "model.py:9"})


def test_a_name_that_only_moved_has_not_changed():
    """Its line was edited, or is in another function now."""
    assert [] == differences({MOVED: 1}, {COPY: 1}, {MOVED: "model.py:50"})


def test_only_the_places_that_gained_are_named():
    """A copy stood there before."""
    lines = {COPY: "model.py:41", MOVED: "model.py:50"}
    assert ["+1 aten.copy_, at model.py:50"] == differences({COPY: 1, MOVED: 1}, {COPY: 1}, lines)


def test_a_name_without_a_place_is_told_alone():
    """A backward pass has none."""
    assert ["+1 aten.mm"] == differences({"aten.mm": 2}, {"aten.mm": 1}, {})


def test_a_sentence_holds_a_few_names():
    """The others are counted."""
    said = differences({f"aten.op{i}": 1 for i in range(8)}, {}, {})
    assert (6, "and 3 more") == (len(said), said[-1])


@given(KEYS)
def test_nothing_differs_from_itself(keys):
    """Whatever it holds."""
    assert [] == differences(keys, keys, {})


@given(KEYS, KEYS)
def test_what_came_one_way_goes_the_other(now, before):
    """The changes of two directions are opposite."""
    there, back = ([line.split(",")[0] for line in differences(*pair, {})] for pair in ((now, before), (before, now)))
    swap = str.maketrans("+-", "-+")
    assert Counter(there) == Counter(line.translate(swap) for line in back)
