"""The best cell within budgets."""
# the expected value stands on the left

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_settings import EXAMPLES
from samples import CONTROL, PRUNED, RUN, UNAVAILABLE, WORKLOAD, figures, header, measured, versus

from suite.analysis.plan import best_under, cells
from suite.analysis.plan.budgets import LimitCheck
from suite.analysis.plan.cells import gathered
from suite.analysis.plan.ties import OVERLAP, PAIRED, SAME_CONTROL, THROUGH_BASELINE
from suite.core.errors import ResultsError, UsageError
from suite.report.results.folder import RunFolder


def answer(measurements, *budgets, **more):
    (found,) = best_under(gathered(measurements, **more), budgets)
    return found


def names(candidates):
    return [one.technique for one in candidates]


def test_the_best_score_within_the_budget_wins():
    """The baseline is better and too large."""
    found = answer(RUN, "bytes=300kB")
    assert "static_int8" == found.winner.technique
    assert 0.75 == found.winner.used[0]
    assert [PRUNED] == names(found.behind)
    assert ["baseline", CONTROL] == names(found.out)


def test_what_cannot_be_told_apart_is_named_with_its_ground():
    """Paired where the records pair them, and the cheapest of all is said."""
    found = answer(RUN, "bytes=1MB")
    assert "baseline" == found.winner.technique
    grounds = {one.candidate.technique: one.how for one in found.alike}
    assert {CONTROL: PAIRED, "static_int8": PAIRED} == grounds
    assert "static_int8" == found.cheapest.technique


def test_a_paired_difference_without_0_tells_apart_what_overlaps():
    """The intervals of the scores share most of their length; on the same items one is better."""
    run = [*RUN, versus("static_int8", -0.003, -0.005, -0.001, "baseline")]
    found = answer(run, "bytes=1MB")
    assert [CONTROL] == names(one.candidate for one in found.alike)
    assert "static_int8" in names(found.behind)


def test_cells_of_one_control_are_compared_by_their_differences_to_it():
    """Their own intervals overlap by far more."""
    run = [m for m in RUN if m.cell.technique != "baseline"]
    run += [versus("static_int8", 0.02, 0.015, 0.025, CONTROL)]
    found = answer([*run, *figures("static_int8", accuracy=(0.995, 0.9, 1.0))], "bytes=300kB")
    assert ("static_int8", []) == (found.winner.technique, names(one.candidate for one in found.alike))
    also = [*figures("other", accuracy=(0.98, 0.9, 1.0), artefact_bytes=1), versus("other", 0.0, -0.1, 0.1, CONTROL)]
    alike = answer([*run, *also, *figures("static_int8", accuracy=(0.995, 0.9, 1.0))], "bytes=300kB").alike
    assert [("other", SAME_CONTROL)] == [(one.candidate.technique, one.how) for one in alike]


def test_a_chain_of_controls_leads_to_the_baseline():
    """Pruning is paired with more epochs, which are paired with the baseline, as int8 is."""
    wide = versus(PRUNED, -0.001, -0.01, 0.008, CONTROL)
    (alike,) = answer([*RUN, wide], "bytes=300kB").alike
    assert (PRUNED, THROUGH_BASELINE) == (alike.candidate.technique, alike.how)
    assert () == answer(RUN, "bytes=300kB").alike


def test_without_pairs_the_intervals_are_compared_and_that_is_said():
    """Overlap is weaker evidence."""
    run = [*figures("a", accuracy=(0.9, 0.88, 0.92)), *figures("b", accuracy=(0.89, 0.87, 0.91))]
    run += figures("c", accuracy=(0.8, 0.78, 0.82))
    assert [("b", OVERLAP)] == [(one.candidate.technique, one.how) for one in answer(run).alike]


def test_a_winner_that_fits_perhaps_is_marked_and_the_best_sure_one_is_named():
    """Its interval reaches beyond the bound."""
    found = answer(RUN, "speedup>=1.95")
    assert ("static_int8", LimitCheck.PERHAPS) == (found.winner.technique, found.winner.fit)
    assert PRUNED == found.sure.technique


def test_a_cell_without_a_figure_is_left_out_as_not_measured():
    """Never silently in or out."""
    run = [m for m in RUN if (m.cell.technique, m.metric) != ("static_int8", "artefact_bytes")]
    found = answer(run, "bytes=300kB")
    assert PRUNED == found.winner.technique
    (budget,) = found.budgets
    assert LimitCheck.UNMEASURED is next(one for one in found.out if one.technique == "static_int8").fits[budget]


def test_where_nothing_fits_the_nearest_cell_is_named():
    """The one whose greatest miss is least, as a share of its budget."""
    found = answer(RUN, "bytes=100kB", "speedup>=2")
    assert (None, PRUNED) == (found.winner, found.nearest.technique)
    assert 0.8 == pytest.approx(found.nearest.miss)


def test_a_score_of_which_less_is_better_is_minimized():
    """Perplexities, errors, bits."""
    run = [*figures("a", mean_squared_error=2.0), *figures("b", mean_squared_error=1.0)]
    assert "b" == answer(run).winner.technique


def test_each_workload_has_its_answer_and_one_without_a_score_is_left_out():
    """Sizes and speeds alone say nothing about the best."""
    run = [*RUN, measured("baseline", "accuracy", 0.5, workload="other"), measured("x", "speedup", 2, workload="bare")]
    assert [WORKLOAD, "other"] == [found.place[0] for found in best_under(gathered(run))]
    with pytest.raises(UsageError, match=r"bare has no score to rank its cells by; .* --score"):
        best_under(gathered(run[-1:]))


def test_any_metric_can_be_the_score():
    """The fastest within a loss of accuracy."""
    (found,) = best_under(gathered(RUN), ["accuracy>=98%"], score="speedup")
    assert "static_int8" == found.winner.technique


def test_the_front_holds_what_nothing_else_beats():
    """The baseline is as good as int8, within noise, and larger; pruning is the smallest."""
    assert ("static_int8", PRUNED) == answer(RUN, "bytes=300kB").front


def test_a_folder_and_tables_give_the_same_answer(tmp_path):
    """Long as results.csv, wide as tradeoffs.csv."""
    folder = RunFolder.create(tmp_path, header())
    folder.append(*RUN, UNAVAILABLE)
    long = pd.DataFrame(
        {"technique": m.cell.technique, "metric": m.metric, "value": m.value, "low": m.low, "high": m.high} for m in RUN
    )
    wide = long.pivot_table(index="technique", columns="metric", values="value").reset_index()
    path = tmp_path / "kept" / "results.csv"
    path.parent.mkdir()
    long.to_csv(path)
    for source in (folder, folder.path, str(folder.path), long, wide, path, path.parent):
        (found,) = best_under(source, ["bytes=300kB"])
        assert "static_int8" == found.winner.technique
    assert (UNAVAILABLE,) == best_under(folder)[0].failures


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1]}), "needs a column 'technique'; it has a"),
        (pd.DataFrame({"technique": ["a"]}), "needs a column that is a metric"),
        (pd.DataFrame({"technique": ["a"], "metric": ["accuracy"], "value": ["high"]}), "finite number, got 'high'"),
        (pd.DataFrame({"technique": ["a"], "metric": ["acuracy"], "value": [1]}), "did you mean accuracy"),
        (pd.DataFrame({"technique": ["a", "a"], "accuracy": [1, 1]}), "is twice in the table"),
        (pd.DataFrame({"technique": [None], "metric": ["accuracy"], "value": [1]}), "no technique"),
        (pd.DataFrame({"technique": ["a"], "accuracy": [float("inf")]}), "finite number, got inf"),
        (
            pd.DataFrame({"technique": ["a"], "metric": ["artefact_bytes"], "value": [1], "unit": ["kB"]}),
            "artefact_bytes is in kB in the table, but in B everywhere else",
        ),
        (7, "needs a column 'technique'"),
    ],
)
def test_a_table_that_is_none_is_refused(table, message):
    """With what is wrong."""
    with pytest.raises(UsageError, match=message):
        best_under(table)


def test_figures_of_two_machines_are_no_alternatives():
    """One plan is about one machine."""
    table = pd.DataFrame({"technique": ["a", "b"], "accuracy": [1, 1], "machine": ["one", "two"]})
    with pytest.raises(ResultsError, match="one plan is about one machine, got one, two"):
        best_under(table)


def test_an_empty_table_has_no_answer():
    """Nothing was measured."""
    with pytest.raises(ResultsError, match="no measured cell"):
        cells(pd.DataFrame({"technique": [], "accuracy": []}))


TRIPLES = st.tuples(st.floats(0.1, 10), st.floats(0, 1), st.floats(0, 1)).map(
    lambda t: (t[0], t[0] - t[1] * t[0], t[0] + t[2])
)
RUNS = st.lists(
    st.fixed_dictionaries({"accuracy": TRIPLES, "artefact_bytes": st.integers(1, 100)}, optional={"speedup": TRIPLES}),
    min_size=1,
    max_size=6,
).map(lambda cells: [m for number, values in enumerate(cells) for m in figures(f"t{number}", **values)])


@EXAMPLES
@given(run=RUNS, size=st.integers(1, 100), speed=st.floats(0.1, 10))
def test_the_winner_fits_all_budgets_and_nothing_inside_is_better(run, size, speed):
    """By its values; every cell is inside or out."""
    found = answer(run, f"bytes={size}B", f"speedup>={speed!r}")
    inside = [one for one in (found.winner, *(a.candidate for a in found.alike), *found.behind) if one]
    assert len({m.cell for m in run}) == len(inside) + len(found.out)
    for one in inside:
        assert size >= one.figures["artefact_bytes"].value
        assert speed <= one.figures["speedup"].value
        assert found.winner.score.value >= one.score.value
    assert (found.nearest is None) or (found.winner is None and found.nearest.miss > 0)


@EXAMPLES
@given(run=RUNS, size=st.integers(1, 100), more=st.integers(0, 100))
def test_a_looser_budget_never_gives_a_worse_winner(run, size, more):
    """What fitted still fits."""
    tight, loose = (answer(run, f"bytes={limit}B").winner for limit in (size, size + more))
    assert tight is None or tight.score.value <= loose.score.value


@EXAMPLES
@given(run=RUNS, data=st.data())
def test_the_order_of_cells_does_not_matter(run, data):
    """Nor that of figures."""
    shuffled = data.draw(st.permutations(run))
    assert answer(run, "bytes=50B", "speedup>=1") == answer(shuffled, "bytes=50B", "speedup>=1")


@EXAMPLES
@given(run=RUNS)
def test_the_front_is_never_empty_and_the_smallest_sure_cell_is_known(run):
    """Without a budget the best score wins."""
    found = answer(run)
    assert found.front
    assert max(m.value for m in run if m.metric == "accuracy") == found.winner.score.value


def test_a_choice_by_scores_says_whose_items_they_are():
    """A run's are the test's, a search's are the validation items'; sizes choose on no items."""
    assert "test" == answer(RUN, "bytes=300kB").chosen_on
    moved = [replace(one, cell=replace(one.cell, workload=f"{WORKLOAD}@validation")) for one in RUN]
    assert "validation" == answer(moved, "bytes=300kB").chosen_on
    (by_size,) = best_under(gathered(RUN), ["bytes=300kB"], score="artefact_bytes")
    assert by_size.chosen_on is None
    assert answer(figures("static_int8", accuracy=(0.99, 0.98, 0.995))).chosen_on is None


def test_a_bound_on_a_score_chooses_on_its_items_too():
    """The fastest cell that keeps an accuracy was chosen by that accuracy."""
    (found,) = best_under(gathered(RUN), ["accuracy>=0.9"], score="artefact_bytes")
    assert "test" == found.chosen_on
