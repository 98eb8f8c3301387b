"""The front: what no other cell beats, where noise is no merit."""
# the expected value stands on the left

from hypothesis import given, settings
from hypothesis import strategies as st

from suite.report.pareto import Merit, front, merit


def cell(*ends):
    """A cell of merits given as (low, high)."""
    return tuple(merit((low + high) / 2, low, high, higher=True) for low, high in ends)


def test_clearly_better_in_one_and_clearly_worse_in_none_beats():
    """Overlap counts as equal."""
    assert [True, False] == front([cell((5, 6), (1, 3)), cell((1, 2), (2, 4))])
    assert [True, True] == front([cell((5, 6), (1, 3)), cell((1, 2), (4, 5))])
    assert [True, True] == front([cell((1, 3)), cell((2, 4))])


def test_a_merit_where_lower_is_better_is_turned():
    """Bytes and errors count the other way round, with their intervals."""
    small, large = (merit(value, value - 1, value + 1, higher=False) for value in (10, 20))
    assert [True, False] == front([(small,), (large,)])


def test_an_interval_without_one_end_or_off_its_value_is_widened_to_the_value():
    """Half an interval says nothing; a value outside its own interval still counts."""
    assert (5, 5, 5) == tuple(vars(merit(5, None, 7, higher=True)).values())
    assert (5, 5, 7) == tuple(vars(merit(5, 6, 7, higher=True)).values())


def test_cells_that_beat_each_other_in_a_circle_are_equals():
    """Clear differences are not transitive; a circle leaves the front with its members, not empty."""
    a, b, c = cell((5, 6), (1, 9), (1, 2)), cell((3, 4), (6, 7), (1, 9)), cell((3.5, 5.5), (4, 5), (4, 5))
    assert [True, True, True] == front([a, b, c])


ends = st.tuples(st.integers(0, 9), st.integers(0, 3)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(st.none() | st.tuples(ends, ends, ends).map(lambda three: cell(*three)), max_size=7))
def test_the_front_is_never_empty_and_unknown_cells_stay_unknown(cells):
    """Whatever the intervals, some cell is left to choose."""
    found = front(cells)
    assert [merits is None for merits in cells] == [best is None for best in found]
    assert any(found) or not any(merits is not None for merits in cells)


def _by_closure(cells):
    """The front by the definition: the closure of "beats" over all pairs."""

    def beats(rival, own):
        pairs = list(zip(rival, own, strict=True))
        better = any(theirs.low > mine.high for theirs, mine in pairs)
        return better and not any(mine.low > theirs.high for theirs, mine in pairs)

    known = range(len(cells))
    reach = {a: {b for b in known if beats(cells[a], cells[b])} for a in known}
    for middle in known:
        for index in known:
            if middle in reach[index]:
                reach[index] |= reach[middle]
    beaten = {other for index in known for other in reach[index] if index not in reach[other]}
    return [index not in beaten for index in known]


ends = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(sorted)
merits = st.builds(lambda pair: Merit(value=pair[0], low=pair[0], high=pair[1]), ends)


@settings(deadline=None)
@given(cells=st.lists(st.tuples(merits, merits, merits), max_size=9))
def test_the_front_is_that_of_the_closure_of_all_pairs(cells):
    """Two searches find the same circles."""
    assert _by_closure(cells) == front(cells)


@settings(deadline=None)
@given(cells=st.integers(1, 5).flatmap(lambda n: st.lists(st.tuples(*[merits] * n), max_size=8)))
def test_the_front_is_the_same_for_any_number_of_merits(cells):
    """Up to three merits are sorted, more are compared pair by pair."""
    assert _by_closure(cells) == front(cells)


def test_a_front_of_many_cells_needs_no_comparison_of_all_pairs(monkeypatch):
    """Of two thousand cells that trade one merit for the other none is left for the search of circles."""
    left = []
    monkeypatch.setattr("suite.report.pareto._circles", lambda cells: left.extend(cells) or [])
    assert all(front([cell((index, index + 5), (-index, 5 - index)) for index in range(2000)]))
    assert [] == left
