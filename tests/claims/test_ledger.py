"""Reading a ledger: each mistake is told with file and line."""
# the expected value stands on the left

from pathlib import Path

import pytest
from claim_samples import claims

from suite.claims.claim import Standing
from suite.claims.ledger import read_ledger
from suite.core.errors import ExpectationFileError

GOOD = """
[OURS-1]
kind = "empirical"
source = "ours"
statement = "It is fast."
holds = "speedup(ours) >= 2"
cells = { ours = "w/fast" }
"""


def test_an_entry_is_read_with_its_line():
    """Its predicate keeps its text."""
    (found,) = claims(GOOD)
    assert ("OURS-1", 2, "speedup(ours) >= 2") == (found.name, found.line, found.parts[""].text)
    assert ("w/fast",) == found.texts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("kind", '"empirical"', '"emprical"'), "ours.toml:3: unknown kind 'emprical'; did you mean empirical"),
        (("holds", "speedup(ours) >= 2", "sped(ours) >= 2"), "ours.toml:6: unknown function 'sped'"),
        (("holds", "speedup(ours) >= 2", "open('x')"), "ours.toml:6: unknown function 'open'"),
        (("holds", "speedup(ours) >= 2", "speedup(ours) >="), "ours.toml:6: .*cannot be read"),
        (("cells", '"w/fast"', '"fast"'), "ours.toml:7: a cell is .workload/technique., not 'fast'"),
        (("cells", "ours =", '"a b" ='), "ours.toml:7: 'a b' cannot stand in a predicate"),
        (("source", 'source = "ours"\n', ""), "ours.toml:2: source is missing"),
        (("statement", 'statement = "It is fast."\n', ""), "ours.toml:2: statement is missing"),
        (("holds", 'holds = "speedup(ours) >= 2"\n', ""), "ours.toml:2: holds is missing"),
        (("extra", "cells", "expectd = 1\ncells"), "unknown key 'expectd'; did you mean expected"),
        (("extra", "cells", 'expected = "hold"\ncells'), "unknown standing 'hold'; did you mean holds"),
        (("extra", "cells", 'expected = { laptop = "holds" }\ncells'), "'laptop' is no machine or family"),
        (("extra", "cells", "chosen_on = [-1]\ncells"), "chosen_on must be a list of seeds"),
        (("extra", "cells", "figure_unverified = 1\ncells"), "figure_unverified must be true or false"),
        (("extra", "cells", 'why = "exaggerated"\ncells'), "unknown why 'exaggerated'"),
    ],
)
def test_a_mistake_is_told_with_its_line(change, words):
    """And with what may stand there."""
    _, old, new = change
    assert old in GOOD
    with pytest.raises(ExpectationFileError, match=words):
        claims(GOOD.replace(old, new))


def test_a_name_that_is_used_twice_is_told_with_both_places(tmp_path):
    """In two files of one ledger."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD, "utf-8")
    with pytest.raises(ExpectationFileError, match=r"b.toml:2: OURS-1 is used twice, first at .*a.toml:2"):
        read_ledger(sorted(tmp_path.glob("*.toml")))


def test_expectations_by_machine_go_from_the_most_specific():
    """Machine, family, any."""
    (found,) = claims(GOOD + 'expected = { any = "refuted", "cpu-x86_64-amx" = "holds" }\n')
    assert Standing.HOLDS is found.expected_on(("cpu-x86_64-one-2c", "cpu-x86_64-amx", "any"))
    assert Standing.REFUTED is found.expected_on(("cpu-x86_64-one-2c", "cpu-x86_64-avx2", "any"))
    assert claims(GOOD)[0].expected_on(("any",)) is None


def test_the_ledger_of_the_suite_can_be_read():
    """Each claim has a source and a statement; refuted ones that are computed have a counter-example or parts."""
    from suite.registry import REGISTRY
    from suite.registry.settings import shipped_expectations

    REGISTRY.workloads  # noqa: B018  # their scores are metrics
    found = read_ledger(sorted((Path(shipped_expectations()) / "claims").glob("*.toml")))
    assert len(found) > 5
    for claim in found:
        for cell in claim.texts:
            workload, _, technique = cell.partition("/")
            REGISTRY.find_workload(workload)
            assert technique == REGISTRY.resolve(technique).name or REGISTRY.resolve(technique)
