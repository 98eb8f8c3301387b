"""Compositions as text: what is read, what is refused and why."""
# the expected value stands on the left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.core.composition import EXAMPLE, TechniqueCall, join, parse
from suite.core.errors import CompositionError

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: (
        name not in {"and", "as", "def", "del", "elif", "else", "for", "from", "if", "in", "is", "not", "or"}
        and name.isidentifier()
        and parses(name)
    )
)
VALUES = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def parses(name):
    try:
        compile(name, "", "eval")
    except SyntaxError:  # a keyword
        return False
    return True


@st.composite
def members(draw):
    parameters = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    return TechniqueCall(name=draw(NAMES), parameters=tuple(parameters.items()))


@given(composed=st.lists(members(), min_size=1, max_size=4))
def test_what_is_joined_is_parsed_to_the_same_members(composed):
    """Text is a lossless form of a composition: names, parameters, their order and their types."""
    found = parse(join(composed))
    assert composed == list(found)
    assert [repr(m) for m in composed] == [repr(m) for m in found]  # True is not 1, 1 is not 1.0


def test_members_are_read_left_to_right_with_their_parameters():
    """The order of a composition and of its parameters is kept."""
    expected = (TechniqueCall(name="structured_pruning", parameters=(("ratio", 0.5),)), TechniqueCall(name="amp_bf16"))
    assert expected == parse(EXAMPLE)


def test_white_space_does_not_matter():
    """A composition may be written with room to breathe."""
    assert parse("b(x=1,y=-2)+c") == parse("  b( x = 1, y = -2 ) + c ")


def test_nothing_composed_is_the_baseline():
    """An empty composition has a name too."""
    assert "baseline" == join([])


@pytest.mark.parametrize("text", ["", "a+", "+a", "a b", "a(", "a(x=1", "1a", "a\0", "a=1"])
def test_broken_text_is_refused_with_an_example(text):
    """The error shows what was given and how a composition is written."""
    with pytest.raises(CompositionError) as error:
        parse(text)
    assert repr(text)[1:-1] in str(error.value)
    assert EXAMPLE in str(error.value)


@pytest.mark.parametrize("text", ["a-b", "a*2", "[a]", "a.b", "a.b()", "a()()", "3", "'a'", "a if b else c"])
def test_anything_but_names_joined_by_plus_is_refused(text):
    """An expression of Python is not yet a composition."""
    with pytest.raises(CompositionError, match="cannot read"):
        parse(text)


def test_a_positional_parameter_is_refused_with_the_way_to_write_it():
    """Parameters need their names."""
    with pytest.raises(CompositionError, match=r"write pruning\(name=value\)"):
        parse("pruning(0.5)")


@pytest.mark.parametrize(
    "value", ["None", "b", "[1]", "(1,2)", "{'a':1}", "{[]:1}", "b'x'", "1j", "1+2", "f(1)", "lambda: 1", "..."]
)
def test_a_parameter_is_a_number_a_text_or_a_truth_value(value):
    """Whatever else stands there is named."""
    with pytest.raises(CompositionError, match="is no finite number, text or truth value"):
        parse(f"a(x={value})")


def test_unpacked_parameters_are_refused():
    """``**`` has no place in a name that is stored."""
    with pytest.raises(CompositionError, match=r"\*\*"):
        parse("a(**{'x': 1})")


def test_a_parameter_that_is_given_twice_is_refused():
    """Neither of the two values may win in silence."""
    with pytest.raises(CompositionError, match="x"):
        parse("a(x=1,x=2)")


@pytest.mark.parametrize("value", ["1e999", "-1e999"])
def test_a_number_beyond_all_floats_is_refused(value):
    """Infinity cannot be written in a composition, so a name that holds it could not be read back."""
    with pytest.raises(CompositionError, match="x"):
        parse(f"a(x={value})")


@given(text=st.text(alphabet="ab(=)+,1.-{}[]' *\n", max_size=14))
def test_any_text_is_read_or_refused(text):
    """No text brings another error than the one that says what to write."""
    try:
        found = parse(text)
    except CompositionError as error:
        assert "as in" in str(error) or "write it like" in str(error)  # noqa: PT017  # most texts are read
    else:
        assert found == parse(join(found))
