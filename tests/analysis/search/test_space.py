"""Which compositions a search may propose."""
# the expected value stands on the left

from random import Random

import pytest
import search_settings
import tiny

from suite.analysis.search.space import space
from suite.core.errors import CompositionError, UsageError

CHOSEN = {"nhwc": "nhwc", "halved": "halved(epochs=1)", "wrapped": "-"}


def test_members_stand_in_the_order_of_what_they_change():
    """Whatever order they were named in."""
    made = search_settings.tiny_space("wrapped", "halved")
    assert "halved(epochs=1)+wrapped" == made.text({"wrapped": "wrapped", "halved": "halved(epochs=1)"})


def test_nothing_chosen_is_the_baseline():
    """The choice that leaves all out."""
    made = search_settings.tiny_space()
    assert "baseline" == made.text(made.nothing())


def test_a_name_with_parameters_adds_a_variant():
    """Beside the default, which the plain name brings."""
    made = search_settings.tiny_space("halved", "halved(epochs=2)")
    assert {"halved": ("-", "halved(epochs=1)", "halved(epochs=2)")} == made.options


def test_too_many_members_are_no_composition():
    """The reason names the option."""
    with pytest.raises(CompositionError, match="raise --most"):
        search_settings.tiny_space(most=1).text(CHOSEN)


def test_two_owners_of_one_slot_are_no_composition():
    """The registry says which."""
    made = tiny.registry()

    @made.technique(slots=("layout",))
    def other(plain):
        """Another layout."""
        return plain

    with pytest.raises(CompositionError, match="both replace 'layout'"):
        space(made, ["nhwc", "other"], most=4).text({"nhwc": "nhwc", "other": "other"})


def test_draws_are_new_and_end_with_the_space():
    """Three techniques have seven compositions beside the baseline."""
    made, seen = search_settings.tiny_space(), {"baseline"}
    random = Random(0)  # noqa: S311  # no secret
    while (drawn := made.draw(random, seen)) is not None:
        assert made.text(drawn) not in seen
        seen.add(made.text(drawn))
    assert 8 == len(seen)


@pytest.mark.parametrize(
    ("texts", "most", "words"),
    [
        (["nhwc+wrapped"], 4, "name its techniques one by one"),
        (["nhcw"], 4, "did you mean nhwc"),
        (["baseline"], 4, "no technique to search among"),
        (["nhwc"], 0, "--most=0"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(texts, most, words):
    """With the likely fix."""
    with pytest.raises(UsageError, match=words):
        space(tiny.registry(), texts, most=most)
