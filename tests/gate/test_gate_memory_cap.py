"""Figures with and without a cap of memory never meet."""
# the expected value stands on the left

import pytest
from expect_samples import expectation, here, measurement, run_header

from suite.gate import Store, record
from suite.gate.files.match import applies

CAPPED = {"memory_cap": 1000}


@pytest.mark.parametrize(("cap", "conditions"), [(None, {}), (1000, CAPPED)])
def test_an_entry_applies_under_its_own_cap_alone(cap, conditions):
    """And one without a cap where there is none."""
    entry = expectation("parameters", 10.0, conditions=conditions)
    assert applies(entry, here(memory_cap=cap))
    assert not applies(entry, here(memory_cap=999))


def stored(tmp_path, cap):
    conditions = {} if cap is None else {"memory_cap": cap}
    one = measurement("parameters", 10.0, conditions=conditions)
    return record([one], header=run_header(where=here(memory_cap=cap)), directory=tmp_path)


def test_what_was_recorded_under_a_cap_is_found_under_it_alone(tmp_path):
    """Elsewhere the figure is said to be of another cap."""
    stored(tmp_path, 1000)
    store, name = Store([tmp_path]), measurement("parameters", 1.0).cell.technique
    assert 1 == len(store.find("digits_cnn", here(memory_cap=1000)))
    assert () == store.find("digits_cnn", here())
    assert "recorded under 1000 memory_cap, this run has no" == store.near("digits_cnn", name, "parameters", here())


def test_a_capped_run_does_not_overwrite_what_was_recorded_without_one(tmp_path):
    """It is skipped with the way out."""
    assert 1 == stored(tmp_path, None).added
    found = stored(tmp_path, 1000)
    assert (0, 0) == (found.added, found.updated)
    assert "another memory cap" in str(found.skipped[0])
