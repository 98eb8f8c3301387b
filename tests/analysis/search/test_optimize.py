"""The loop of a search, on figures that are made up."""
# the expected value stands on the left

import pytest
import search_settings
from search_settings import OBJECTIVES, failing_for, search_loop

from suite.analysis.search import tables
from suite.analysis.search.objectives import parse_objectives
from suite.analysis.search.optimize import TimeLimit, nearest
from suite.analysis.search.storage import open_study
from suite.core.errors import ResultsError

BEST = "nhwc+wrapped"


def test_the_best_feasible_composition_is_found(tmp_path):
    """2.0 by 1.5; what is halved is too large, however fast."""
    searched = search_loop(tmp_path / "journal")
    searched.run(trials=8)
    assert BEST == tables.winners(searched.found(), OBJECTIVES)[0].composition


def test_every_composition_is_measured_once(tmp_path):
    """The sampler's repetitions cost nothing, and the search ends with its space."""
    measured, said = [], []
    searched = search_loop(
        tmp_path / "journal", measure=lambda text: measured.append(text) or search_settings.made_up(text)
    )
    searched.say = said.append
    searched.run(trials=100)
    assert 8 == len(measured) == len(set(measured))
    assert "all compositions of this space have been tried" == said[-1]


def test_an_invalid_composition_is_never_measured(tmp_path):
    """It is counted with its reason."""
    measured = []
    searched = search_loop(
        tmp_path / "journal", refusal=lambda text: "no such kernel" if "wrapped" in text else None,
        measure=lambda text: measured.append(text) or search_settings.made_up(text),
    )  # fmt: skip
    searched.run(trials=100)
    assert {"baseline", "nhwc", "halved(epochs=1)", "nhwc+halved(epochs=1)"} == set(measured)
    assert searched.count().invalid >= 1
    assert "no such kernel" in {trial.user_attrs.get("invalid") for trial in searched.study.trials}


def test_a_composition_that_fails_is_counted_and_the_search_goes_on(tmp_path):
    """Four of eight hold the broken technique."""
    searched = search_loop(tmp_path / "journal", measure=failing_for("wrapped"))
    searched.run(trials=100)
    assert (4, 4) == (searched.count().measured, searched.count().failed)


def test_infeasible_compositions_are_counted(tmp_path):
    """Those that are halved."""
    searched = search_loop(tmp_path / "journal")
    searched.run(trials=100)
    assert 4 == searched.count().infeasible
    assert str(searched.count()).startswith("8 compositions measured, 4 of them infeasible; 0 failed, ")


def test_a_search_goes_on_where_it_ended(tmp_path):
    """The number of trials is that of the storage."""
    search_loop(tmp_path / "journal").run(trials=3)
    measured = []
    searched = search_loop(
        tmp_path / "journal", measure=lambda text: measured.append(text) or search_settings.made_up(text)
    )
    searched.run(trials=5)
    assert (2, 5) == (len(measured), searched.count().measured)


def test_an_ended_search_loses_its_running_trial_alone(tmp_path):
    """What was measured before is there; the one that ran is tried again."""
    left = iter(range(3))

    def measure(text):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return search_settings.made_up(text)

    with pytest.raises(KeyboardInterrupt):
        search_loop(tmp_path / "journal", measure=measure).run(trials=8)
    searched = search_loop(tmp_path / "journal")
    assert 3 == searched.count().measured
    searched.run(trials=8)
    assert 8 == searched.count().measured


def test_a_storage_of_another_question_is_refused(tmp_path):
    """By name of what differs."""
    search_loop(tmp_path / "journal").run(trials=1)
    with pytest.raises(ResultsError, match=r"a search of other workload \(workload: halves, now irises\)"):
        open_study(str(tmp_path / "journal"), OBJECTIVES, {"workload": "irises"}, seed=0)


def test_a_storage_that_is_none_is_refused(tmp_path):
    """In one sentence, whatever the file holds."""
    path = tmp_path / "notes.txt"
    path.write_text("not a journal\n", "utf-8")
    with pytest.raises(ResultsError, match="cannot be used"):
        open_study(str(path), OBJECTIVES, {}, seed=0)


def test_several_objectives_have_several_winners(tmp_path):
    """Fast or small: neither beats the other."""
    objectives = parse_objectives(minimise=["bytes"], maximise=["speedup"])

    def measure(text):
        size = 1e4 * (1 + text.count("nhwc")) * (0.5 if "wrapped" in text else 1)
        return search_settings.made_up(text) | {"artefact_bytes": (size, None, None)}

    searched = search_loop(tmp_path / "journal", objectives=objectives, measure=measure)
    searched.run(trials=8)
    assert ["wrapped", BEST] == [one.composition for one in tables.winners(searched.found(), objectives)]


def test_the_nearest_misses_least(tmp_path):
    """Where nothing is feasible."""
    objectives = parse_objectives(maximise=["speedup"], budgets=["bytes=1kB"])
    searched = search_loop(tmp_path / "journal", objectives=objectives)
    searched.run(trials=8)
    assert [] == tables.winners(searched.found(), objectives)
    assert "halved" not in nearest(searched.found(), objectives).composition


def timed(tmp_path, *, minutes, final=0, seconds=20.0):
    """What a search says and measures whose trials take ``seconds`` each, on a clock of its own."""
    now, said, measured = [0.0], [], []

    def measure(text):
        now[0] += seconds
        measured.append(text)
        return search_settings.made_up(text)

    searched = search_loop(tmp_path / "journal", measure=measure, said=said)
    limit = TimeLimit(minutes=minutes, began=0.0, final=final, clock=lambda: now[0])
    searched.run(trials=100, limit=limit)
    return now[0], said, measured


def test_the_minutes_hold_the_trial_under_way(tmp_path):
    """Two trials of 20 s fit into 50 s, a third would end after it."""
    ended, said, measured = timed(tmp_path, minutes=50 / 60)
    assert (40.0, 2) == (ended, len(measured))
    assert said[-1].startswith("--minutes 0.833333: no further trial; 10 s are left")


def test_the_minutes_hold_the_final_measurement_too(tmp_path):
    """It takes as long as four trials: 80 of 120 s."""
    ended, said, _ = timed(tmp_path, minutes=2, final=4)
    assert 40.0 == ended
    assert "a trial and the final measurement take about 100 s" in said[-1]


def test_too_few_minutes_still_measure_the_baseline(tmp_path):
    """Without one trial nothing is known of how long they take."""
    _, _, measured = timed(tmp_path, minutes=0.01, final=10)
    assert ["baseline"] == measured
