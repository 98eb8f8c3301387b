"""Compositions that are tried together: the suite's own and a user's."""
# the expected value stands on the left

import pytest

from suite.bench.combinations import OWN, combinations
from suite.cli.listing import lines
from suite.core.errors import SetupError
from suite.registry import REGISTRY


def settings(folder, text):
    (folder / "pyproject.toml").write_text(f"[tool.tradeoff-suite]\n{text}", "utf-8")
    return combinations(REGISTRY, folder)


def test_the_suites_own_are_pairs_and_triples_that_can_be_composed(tmp_path):
    """Each of several techniques, in its one spelling, with what it is tried for."""
    found = settings(tmp_path, "")
    assert len(found) >= 15
    assert all(len(REGISTRY.resolve(name).members) >= 2 and about for name, about in found.items())
    assert "structured_pruning(ratio=0.5,epochs=5)+static_int8" in found


def test_a_users_own_stand_behind_them(tmp_path):
    """And replace what is said of one that is there already."""
    table = (
        '[tool.tradeoff-suite.combinations]\n"narrow+pure_bf16" = "ours"\n"structured_pruning+static_int8" = "too"\n'
    )
    found = settings(tmp_path, table)
    assert ("narrow(width=0.25)+pure_bf16", "ours") == list(found.items())[-1]
    assert "too" == found["structured_pruning(ratio=0.5,epochs=5)+static_int8"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('"narow+pure_bf16" = "x"', "did you mean narrow"),
        ('"amp_bf16+amp_fp16" = "x"', "amp_fp16"),
        ('"narrow+pure_bf16" = 3', "must say what each is tried for"),
        ('"pure_bf16" = "x"', "is no combination; join at least two"),
    ],
)
def test_what_cannot_be_composed_is_refused_with_its_file(tmp_path, table, said):
    """Before anything is trained."""
    with pytest.raises(SetupError, match=said) as caught:
        settings(tmp_path, f"[tool.tradeoff-suite.combinations]\n{table}\n")
    assert "pyproject.toml" in str(caught.value)


def test_they_are_listed_with_what_they_are_tried_for(tmp_path, monkeypatch):
    """One line each."""
    monkeypatch.chdir(tmp_path)
    listed = list(lines(REGISTRY, "combinations", []))
    assert len(combinations(REGISTRY, OWN.parent)) == len(listed)
    assert any("fewer channels, each in 8 bits" in line for line in listed)
