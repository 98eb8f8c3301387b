"""The files of the page: the copied library is the released one, and templates are filled once."""
# the expected value stands on the left

from hashlib import sha256

from suite.report.page.assets import PLOTLY, PLOTLY_SHA256, PLOTLY_VERSION, SCRIPTS, asset, filled, script

MOST_LINES, WIDTH = 200, 120


def test_the_plotting_library_is_the_released_file():
    """Its digest, its version and its licence stand beside it."""
    text = asset(PLOTLY)
    assert PLOTLY_SHA256 == sha256(text.encode()).hexdigest()
    assert f"v{PLOTLY_VERSION}" in text[:200]
    assert asset("vendor/plotly-LICENSE.txt").startswith("MIT License")


def test_scripts_cannot_end_their_element():
    assert "</script" not in script().lower()


def test_every_script_is_short_and_says_what_it_is_for():
    """One concern a file."""
    for name in SCRIPTS:
        text = asset(name)
        assert text.startswith("// "), name
        assert len(text.splitlines()) <= MOST_LINES, name
        assert max(map(len, text.splitlines())) <= WIDTH, name


def test_a_part_is_not_searched_for_further_places():
    """A name may hold braces."""
    assert "a {{b}} c" == filled("a {{one}} c", {"one": "{{b}}", "b": "wrong"})
