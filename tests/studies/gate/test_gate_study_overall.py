"""What the gate said over all loads."""
# the expected value stands on the left

from studies.gate.overall import overall


def decision(planted=0.0, verdict="pass", *, seconds=4.0, suspect=None, load="quiet"):
    return {
        "planted": planted, "verdict": verdict, "seconds": seconds, "budget": 4.0, "suspect": suspect, "load": load,
    }  # fmt: skip


def test_false_alarms_have_their_upper_limit():
    """None of 100 may still be 3.7 in a hundred; a disturbed sample says nothing, and is counted for itself."""
    rows = [decision() for _ in range(97)]
    rows += [decision(verdict="inconclusive"), *[decision(verdict="inconclusive", suspect="preempted")] * 2]
    (said,) = overall(rows)
    assert "regressed in 0 of 100 decisions (at most 3.70% with 95 % confidence)" in said
    assert said.endswith("inconclusive in 3, 2 of these because the sample was disturbed.")


def test_what_was_planted_is_found_at_a_look():
    """One, two or four budgets; rounds are whole, so that a look may end a little late."""
    found = [decision(0.03, "regressed", seconds=seconds) for seconds in (2.1, 4.03, 8.1, 15.9, 17.0)]
    rows = [*found, decision(0.03), decision(0.03, "inconclusive", suspect="preempted", load="busy")]
    (said,) = overall(rows)
    assert said.startswith("3% more work, all loads: regressed in 5 of 6 decisions that nothing disturbed (83.3% [")
    assert said.endswith("), 2 after 4 s, 1 after 8 s, 2 after 16 s; 1 were disturbed; 1 passed.")


def test_where_everything_was_disturbed_there_is_no_share():
    """None of none."""
    assert ["2% more work, all loads: regressed in 0 of 0 decisions; 1 were disturbed; 0 passed."] == list(
        overall([decision(0.02, "inconclusive", suspect="preempted")])
    )
