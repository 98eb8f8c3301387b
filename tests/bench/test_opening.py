"""Opening a run: names that can be looked up, data that can be named, batches that are known."""
# the expected value stands on the left

from contextlib import nullcontext

import pytest
import tiny

from suite.bench import opening
from suite.bench.opening import check_names, check_shape_names, data_digests
from suite.bench.options import Options
from suite.catalog.scores import classification
from suite.cli.command import load_everything
from suite.core.errors import ExpectationFileError, SetupError, UnavailableError
from suite.core.records import Where
from suite.gate import Store, load_all, load_shapes
from suite.registry.settings import found_expect_dir

ENTRY = """
["{technique}".{metric}]
value = 1.5
low = 1
unit = "1"
better = "higher"
tier = "family"
"""
REGISTRY = tiny.registry()


def stored(folder, technique, metric="speedup", extra="", workload="halves"):
    path = folder / "any" / f"{workload}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text("utf-8") if path.exists() else "schema = 1\n"
    path.write_text(text + ENTRY.format(technique=technique, metric=metric) + extra, "utf-8")
    return load_all(folder)


@pytest.mark.parametrize("technique", ["halved", "halved(epochs = 1)"])
def test_an_entry_that_is_spelled_so_that_no_cell_looks_it_up_is_an_error(tmp_path, technique):
    """It would sleep in its file for ever; the message has file, line and the canonical spelling."""
    with pytest.raises(ExpectationFileError) as error:
        check_names(REGISTRY, stored(tmp_path, technique))
    assert "halves.toml:3" in str(error.value)
    assert "its canonical spelling is 'halved(epochs=1)'" in str(error.value)


@pytest.mark.parametrize(
    ("technique", "extra", "workload"),
    [
        ("halved(epochs=1)", "", "halves"),
        ("nowhere", "", "halves"),
        ("halved", "", "others"),
        ("halved", 'retired = "replaced by nhwc"\n', "halves"),
    ],
)
def test_canonical_foreign_and_retired_entries_are_left_alone(tmp_path, technique, extra, workload):
    """What is not loaded here may be another project's; `suite bench` says what nothing answers."""
    check_names(REGISTRY, stored(tmp_path, technique, extra=extra, workload=workload))


@pytest.mark.parametrize(
    ("technique", "along", "said"),
    [
        ("halved", "epoch", "unknown parameter of halved 'epoch'; did you mean epochs"),
        ("halved(ratio=1)", "epochs", "halves.toml:2: unknown parameter of halved"),
        ("halved", "epochs", None),
        ("halved", "halved.epochs", None),
        ("nowhere", "epoch", None),
    ],
)
def test_a_shape_along_a_parameter_that_its_technique_lacks_is_an_error(tmp_path, technique, along, said):
    """It would never be asked; what is not loaded here may be another project's."""
    path = tmp_path / "any" / "halves.toml"
    path.parent.mkdir()
    head = f'schema = 1\n["{technique}".shape.accuracy]\n'
    path.write_text(f'{head}along = "{along}"\nshape = "convex"\n', "utf-8")
    with pytest.raises(ExpectationFileError, match=said) if said else nullcontext():
        check_shape_names(REGISTRY, load_shapes(tmp_path))


def test_digests_come_from_the_workloads_that_declare_one():
    """A digest that raises is kept as the reason, whatever it raises, and stops no other one."""
    made = tiny.registry()

    def raises():
        raise KeyError("labels.csv")

    @made.workload(scores=classification(), digest=raises)
    def broken(seed):
        """Its data cannot be named."""
        return tiny.recipe(seed)

    found, wrong = data_digests(list(made.workloads.values()))
    assert {"halves": "halves-1"} == found
    assert ["broken"] == list(wrong)
    assert "the digest of broken cannot be computed: KeyError: 'labels.csv' [" in wrong["broken"]


def test_data_that_are_not_here_have_no_digest_and_are_no_fault():
    """Their cells say that they are unavailable; an error would end the run with 1."""
    made = tiny.registry()

    def absent():
        raise UnavailableError("the files of mine are not in /data")

    @made.workload(scores=classification(), digest=absent)
    def elsewhere(seed):
        """Its data lie on another machine."""
        return tiny.recipe(seed)

    assert ({}, {}) == data_digests([made.find_workload("elsewhere")])


def test_the_saturating_batch_is_that_of_stored_figures(tmp_path):
    """A batch that is searched anew each time would be compared with nothing."""
    stored(tmp_path, "baseline", "speedup", "conditions = { batch = 64 }\n")
    stored(tmp_path, "baseline", "speedup_saturated", "conditions = { batch = 1024 }\n")
    where = Where(machine="cpu-x-1c", family="cpu-x", device="cpu", threads=1)
    workloads = [REGISTRY.find_workload(name) for name in ("halves", "unlabelled")]
    assert {"halves": 1024} == opening._known_batches(Store([tmp_path]), workloads, where)


@pytest.mark.parametrize("expect", ["gate", "report"])
def test_a_folder_of_expectations_that_was_named_must_exist(tmp_path, expect):
    """A misspelt --expect-dir gates nothing; recording creates it."""
    with pytest.raises(SetupError, match=r"there is no folder .*nowhere; correct --expect-dir or record into it first"):
        opening._check_expectations(REGISTRY, Options(expect=expect, expect_dir=tmp_path / "nowhere"))
    opening._check_expectations(REGISTRY, Options(expect="record", expect_dir=tmp_path / "nowhere"))
    load_everything()  # scores of the shipped workloads are metrics of the project's own files
    opening._check_expectations(REGISTRY, Options(expect=expect))


def test_the_folder_that_a_command_finds_itself_need_not_exist_yet(tmp_path, monkeypatch):
    """From a folder below the settings it is an absolute path, which nobody named and nobody can correct."""
    (tmp_path / "pyproject.toml").write_text("[tool.tradeoff-suite]\nload = []\n", "utf-8")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = found_expect_dir()
    assert tmp_path / "expectations" == found
    opening._check_expectations(REGISTRY, Options(expect="gate", expect_dir=found))


SCORE = """
["baseline".accuracy]
value = 0.9
low = 0.8
unit = "1"
better = "higher"
tier = "portable"
seeds = 2
seen = { cpu-x-1c = 0.9 }
"""


@pytest.mark.parametrize(
    ("by_seed", "machine", "expected"),
    [
        ("by_seed = { 0 = 0.92, 1 = 0.88 }", "cpu-x-1c", {"halves"}),
        ("by_seed = { 0 = 0.92, 1 = 0.88 }", "cpu-y-1c", set()),  # another machine's seeds train to other networks
        ("by_seed = { 1 = 0.88, 2 = 0.92 }", "cpu-x-1c", set()),
        ("", "cpu-x-1c", set()),
    ],
)
def test_a_baseline_whose_first_seed_is_stored_here_is_settled(tmp_path, by_seed, machine, expected):
    """One seed can be judged then; figures that do not depend on seeds do not count."""
    stored(tmp_path, "baseline", extra=f"{SCORE}{by_seed}\n")
    where = Where(machine=machine, family="cpu-x", device="cpu", threads=1)
    workloads = [REGISTRY.find_workload(name) for name in ("halves", "unlabelled")]
    assert expected == opening._settled(Store([tmp_path]), workloads, where)
