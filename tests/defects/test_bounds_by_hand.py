"""Bounds that a person wrote and that could not break: refused with file and line, or broken by what was measured."""
# the expected value stands on the left

import pytest

pytestmark = pytest.mark.system

REFUSED = {
    "low removed, high given": "low is missing",
    "low = 0": "low = 0 can never be crossed",
    "low = -5": "low = -5 can never be crossed",
    "tier = local": "accuracy has 'portable'",
    "seeds = 100 (widened by 10)": "without by_seed",
    "seeds = 1000000": "without by_seed",
    "by_seed 0 = 0.1": "by_seed has 1 values",
    "noise 1e300": "is no standard deviation of accuracy",
}
FAILS = ("good", "data_digest other", "not measured", "conditions batch=7", "retired")
PASSES = ("only tpuu, not measured", "xfail until 9999")  # by their own words; `suite lint` names a device it knows not


def test_an_accuracy_of_a_tenth_passes_no_bound_that_was_written_by_hand(script_of):
    """One process for all of them; each line is a bound and what becomes of it."""
    done = script_of("attacks", "bounds_by_hand.py")
    assert 0 == done.returncode, done.stderr
    said = {line[:34].rstrip(): line[34:] for line in done.stdout.splitlines()}
    assert {*REFUSED, *FAILS, *PASSES} == set(said)
    refused = {name: text for name, text in said.items() if "refused: any/wine.toml" in text}
    assert set(REFUSED) == set(refused)
    assert [] == [name for name, why in REFUSED.items() if why not in refused[name]]
    assert [] == [name for name in FAILS if " fails | " not in said[name]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("anny/digits_cnn.toml", "which no machine reads; did you mean any?"),
        ("any/digits_cnn.TOML", "rename it to digits_cnn.toml"),
    ],
)
def test_a_file_that_nothing_reads_is_named(run, folder, name, said):
    stored = folder("60") / "good"
    (stored / name).parent.mkdir(exist_ok=True)
    (stored / "any" / "digits_cnn.toml").rename(stored / name)
    done = run("60", "lint", "good")
    assert 0 != done.returncode
    assert said in done.stderr
