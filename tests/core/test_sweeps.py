"""Which compositions are points of one sweep."""
# the expected value stands on the left

from suite.core.sweeps import Sweep, is_number, parameters, sweeps

PRUNED = [f"magnitude_pruning(sparsity={value},epochs=3)" for value in (0.9, 0.5, 0.8)]
SPARSITY = Sweep(rest="magnitude_pruning(epochs=3)", technique="magnitude_pruning", parameter="sparsity")


def test_compositions_that_differ_in_one_parameter_are_a_sweep_in_ascending_order():
    """What else the run holds does not disturb it."""
    found = sweeps(["baseline", *PRUNED, "qat(bits=8)"])
    assert {SPARSITY: {0.5: PRUNED[1], 0.8: PRUNED[2], 0.9: PRUNED[0]}} == found
    assert [0.5, 0.8, 0.9] == list(found[SPARSITY])


def test_two_points_are_no_sweep_unless_asked_for():
    """They are a line whatever the truth."""
    assert ({}, [SPARSITY]) == (sweeps(PRUNED[:2]), list(sweeps(PRUNED[:2], least=2)))


def test_another_parameter_starts_another_sweep():
    """All else has to be equal."""
    found = sweeps([f"large_batch(factor={f},rule='{rule}')" for rule in ("linear", "sqrt") for f in (2, 4, 8)])
    assert ["large_batch(rule='linear')", "large_batch(rule='sqrt')"] == [sweep.rest for sweep in found]


def test_values_that_are_no_numbers_stay_in_their_order():
    """Names have no axis; a truth value is no number."""
    [points] = sweeps([f"early_stopping(criterion='{name}')" for name in ("up", "gl", "pq")]).values()
    assert (["up", "gl", "pq"], False, True) == (list(points), is_number(True), is_number(2))


def test_parameters_of_a_composition_are_data_by_technique():
    """A composition's members keep theirs apart; what is no composition has none."""
    found = parameters("narrow(width=0.5)+qat(bits=4,per_channel=True)")
    assert {"narrow.width": 0.5, "qat.bits": 4, "qat.per_channel": True} == found
    assert ({}, {}) == (parameters("baseline"), parameters("no composition!"))
