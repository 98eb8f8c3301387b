"""Ways in which a gate could look green without having looked: each has an end that a CI job notices.

Every test is a real run in a user's folder. The numbers are those of the review that found them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

HARNESS = '''"""A small network on 64 generated images."""

from dataclasses import replace

import torch
from torch import nn

from suite import REGISTRY, Recipe, Split, Splits, classification, technique, workload
from suite.measure import speed

speed.QUICK = speed.SamplingBudget(batch=0.1, single=0.1, latency=0.05, training=0.1)  # verdicts are tested
for name in list(REGISTRY.workloads):
    del REGISTRY._workloads[name]  # the suite's own would take minutes


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)


def splits():
    targets = torch.arange(64) % 2
    inputs = torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) + 2.0 * targets[:, None, None, None]
    parts = [Split(inputs=inputs[a:b], targets=targets[a:b]) for a, b in ((0, 32), (32, 48), (48, 64))]
    return Splits(train=parts[0], validation=parts[1], test=parts[2])
'''

LAB = (
    HARNESS
    + '''

def digest():
    return "images-1"


@workload(scores=classification(), batch=16, techniques=("prune",), digest=digest)
def tiny(seed: int) -> Recipe:
    """Which of two brightnesses an image has."""
    return Recipe(data=splits, model=Net, epochs=2, learning_rate=0.01)


@technique(slots=("finish",))
def prune(plain: Recipe, *, ratio: float = 0.03) -> Recipe:
    """Set the smallest weights to zero."""

    def finish(network, tuner):
        weight = network.layers[1].weight
        with torch.no_grad():
            weight[weight.abs() < weight.abs().flatten().quantile(ratio)] = 0.0
        return network

    return replace(plain, finish=finish)
'''
)


class Repository:
    """A user's folder with `lab.py`, in which the real commands are run."""

    def __init__(self, folder: Path, suite) -> None:
        self.folder, self._suite = folder, suite
        (folder / "lab.py").write_text(LAB, "utf-8")

    def edit(self, old: str, new: str) -> None:
        """Replace a piece of `lab.py` that is there exactly once."""
        text = (self.folder / "lab.py").read_text("utf-8")
        assert 1 == text.count(old), old
        (self.folder / "lab.py").write_text(text.replace(old, new), "utf-8")

    def append(self, text: str) -> None:
        with (self.folder / "lab.py").open("a", encoding="utf-8") as file:
            file.write(text)

    def bench(self, *arguments: str, cwd: str = ".", load: str = "lab.py", **options):
        usual = ("--device=cpu", "--quick", "--seeds=1", *([f"--load={load}"] if load else []))
        return self._suite("bench", *usual, *arguments, cwd=self.folder / cwd, **options)

    def part(self, technique: str, group: str, *arguments: str, **options):
        """One group of figures of one cell."""
        return self.bench(
            "--workload=tiny", f"--technique={technique}", "--partial", "-k", group, *arguments, **options
        )


@pytest.fixture(scope="module")
def recording(tmp_path_factory, suite) -> Path:
    """The folder of a whole recording run; nobody changes it."""
    made = Repository(tmp_path_factory.mktemp("recording"), suite)
    done = made.bench("--expect=record")
    assert 0 == done.returncode, done.stdout + done.stderr
    return made.folder


@pytest.fixture
def repository(tmp_path, suite, recording) -> Repository:
    """A repository with the expectations that depend on no machine."""
    shutil.copytree(recording / "expectations" / "any", tmp_path / "expectations" / "any")
    return Repository(tmp_path, suite)


def ended(done, code: int, *said: str) -> None:
    """The exit code, and what the run must have said; never a traceback."""
    text = done.stdout + done.stderr
    assert code == done.returncode, text
    assert "Traceback" not in text
    for one in said:
        assert one in text, text


def test_1_the_same_code_passes_its_own_gate(repository):
    """The base of all that follows: nothing is missing, nothing regressed."""
    ended(repository.bench(), 0, "pass")


def test_2_expectations_are_found_upwards(repository):
    """A command started in a subfolder gates the same entries."""
    (repository.folder / "sub").mkdir()
    repository.edit("hidden=8", "hidden=16")
    done = repository.part("baseline", "size", cwd="sub", load="../lab.py")
    ended(done, 1, "REGRESSED tiny baseline cpu: ", "expectations/any/tiny.toml:")


def test_3_a_project_inside_a_project_must_answer_the_entries_that_it_names(repository):
    """Its own settings load other modules: the entries of the outer one are not passed over."""
    sub = repository.folder / "sub"
    sub.mkdir()
    (sub / "pyproject.toml").write_text('[tool.tradeoff-suite]\nload = ["other.py"]\n', "utf-8")
    (sub / "other.py").write_text(LAB.replace("def tiny(", "def other("), "utf-8")
    done = repository.bench("--expect-dir=../expectations", cwd="sub", load="")
    ended(done, 1, "MISSING tiny ", "the workload is gone or its module is not loaded")


def test_4_the_entries_of_a_deleted_technique_are_missing(repository):
    """Deleting what fails is no way to pass."""
    text = (repository.folder / "lab.py").read_text("utf-8")
    start = text.index("@technique(")
    (repository.folder / "lab.py").write_text(text[:start].replace('techniques=("prune",)', "techniques=()"), "utf-8")
    ended(repository.bench(), 1, "MISSING tiny prune(ratio=0.03) cpu: ", "no cell of this run measures it")


def test_5_the_entries_of_a_default_that_was_changed_are_missing(repository):
    """Another parameter is another cell; the old one has to be retired by name."""
    repository.edit("ratio: float = 0.03", "ratio: float = 0.5")
    ended(repository.bench(), 1, "MISSING tiny prune(ratio=0.03) cpu: ", "nearest: prune(ratio=0.5)")


def test_6_stored_quality_is_missing_once_the_scores_are_taken_away(repository):
    """A workload without scores has no quality to fail by."""
    repository.edit("@workload(scores=classification(), ", '@workload(source="none", ')
    ended(repository.bench(), 1, "MISSING tiny baseline cpu: ", "accuracy")


def test_7_a_conftest_that_skips_every_test_makes_the_run_unusable(repository):
    """No verdict is no pass."""
    code = "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef skipping():\n    pytest.skip('not today')\n"
    (repository.folder / "conftest.py").write_text(code, "utf-8")
    ended(repository.bench(), 12, "8 of 8 metric groups were not measured")


def test_8_a_run_that_only_plans_is_no_gate(repository):
    """`--setup-plan` runs no test."""
    ended(repository.bench("--setup-plan"), 12, "8 of 8 metric groups were not measured")


def test_a_process_that_ends_itself_with_0_is_no_gate(repository):
    """`os._exit(0)` leaves no time for a verdict, and a shell would take it for a pass."""
    code = "import os\n\n\ndef pytest_collection_finish():\n    os._exit(0)\n"
    (repository.folder / "conftest.py").write_text(code, "utf-8")
    ended(repository.bench(), 12, "the process ended early with exit code 0")


def test_9_a_narrowed_gate_has_to_be_asked_for_and_says_what_it_left_out(repository):
    """`-k size` alone is refused; with `--partial` a line tells what gated nothing."""
    ended(repository.bench("-k", "size"), 11, "6 of 8 metric groups would not be measured", "--partial")
    done = repository.bench("-k", "size", "--partial")
    ended(done, 0, "partial: 6 metric groups were left out and are not gated: tiny-baseline-cpu quality")


def test_10_a_conftest_that_drops_tests_is_noticed(repository):
    """Whoever narrows, the gate sees that groups are gone."""
    code = (
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'speed' not in item.name and 'quality' not in item.name]\n"
    )
    (repository.folder / "conftest.py").write_text(code, "utf-8")
    ended(repository.bench(), 11, "4 of 8 metric groups would not be measured")


def test_12_a_compiler_that_is_gone_fails_where_it_was_told_to(repository):
    """A runner that lost a tool is not green for it."""
    arguments = ("compiled", "size", "--technique=baseline")
    gone = {"PATH": "/nowhere", "CXX": None}
    ended(repository.part(*arguments, env=gone), 0, "torch.compile needs a C++ compiler")
    ended(repository.part(*arguments, "--unavailable=fail", env=gone), 1, "torch.compile needs a C++ compiler")


def test_13_a_run_is_not_resumed_with_other_code(repository):
    """Without git too: the sources themselves are compared."""
    arguments = ("baseline", "size", "--expect=off")
    ended(repository.part(*arguments), 0)
    repository.edit("hidden=8", "hidden=16")
    done = repository.part(*arguments, "--resume=reports/latest")
    ended(done, 11, "cannot be resumed: its values come from other code")


def test_14_figures_at_another_serving_batch_answer_no_entry(repository, recording):
    """The batch is stored with what depends on it."""
    shutil.copytree(recording / "expectations", repository.folder / "expectations", dirs_exist_ok=True)
    repository.edit("batch=16", "batch=32")
    done = repository.part("baseline", "memory")
    ended(done, 1, "MISSING tiny baseline cpu: ", "batch")


def test_15_other_data_do_not_pass_as_unverified(repository):
    """The entry was recorded on data that are not there any more."""
    repository.edit('return "images-1"', 'return "images-2"')
    repository.edit("targets = torch.arange(64) % 2\n", "targets = torch.arange(64) % 2\n    targets[::3] ^= 1\n")
    done = repository.part("baseline", "quality", "--gate-tier=exact", "--gate-tier=portable")
    ended(done, 1, "MISSING tiny baseline cpu: ", "images-2")


def test_16_a_digest_that_raises_is_an_error(repository):
    """Whether the data are the same is not known."""
    repository.edit('return "images-1"', 'raise OSError("images.tar is not there")')
    done = repository.part("baseline", "size")
    ended(done, 1, "ERROR tiny baseline cpu: ")
    ended(done, 1, "the digest of tiny cannot be computed: OSError: images.tar is not there")


FAMILY = """schema = 1

["baseline".speedup]
value = 1.0
low = 0.9
unit = "1"
better = "higher"
tier = "family"
"""


def test_17_a_run_outside_the_quiet_process_cannot_tell(repository, python, recording):
    """Plain pytest: every timing is inconclusive, which is no pass."""
    machine = next(path.parent.name for path in (recording / "expectations").glob("cpu-*/tiny.toml"))
    file = repository.folder / "expectations" / machine / "tiny.toml"
    file.parent.mkdir()
    file.write_text(FAMILY, "utf-8")
    options = ("--suite-device=cpu", "--suite-quick", "--suite-load=lab.py", "--suite-workload=tiny")
    chosen = ("--suite-technique=baseline", "--suite-partial", "-k", "speed")
    done = python("-P", "-m", "pytest", "--pyargs", "suite.bench.benchmarks", *options, *chosen, cwd=repository.folder)
    ended(done, 10, "this is no quiet process")


def test_18_a_module_that_sets_threads_ends_the_run(repository):
    """Its timings would be marked as of one thread."""
    repository.append("\n\ntorch.set_num_threads(2)\n")
    ended(repository.part("baseline", "size"), 11, "a loaded module set torch's threads to 2", "--threads 2")


def adding(repository: Repository, slots: str, body: str) -> None:
    repository.append(f"\n\n@technique(slots={slots}, runs=False)\ndef sly(plain: Recipe) -> Recipe:\n{body}\n")


def test_19_a_slot_that_is_changed_without_being_declared_is_an_error(repository):
    """The cell would show the baseline's figures."""
    adding(repository, '("deploy",)', "    return replace(plain, epochs=3)")
    ended(
        repository.part("sly", "size"), 1, "ERROR tiny sly cpu: ", "changes epochs of the recipe without declaring it"
    )


@pytest.mark.parametrize(
    ("number", "outputs", "said"),
    [(20, "0 * network(x)", "times the network's own away"), (21, "network(x) / 0", "outputs must be finite")],
    ids=["20_zero", "21_not_finite"],
)
def test_20_and_21_outputs_that_are_not_the_networks_are_an_error(repository, number, outputs, said):
    """Without a score to judge them, too."""
    del number
    repository.edit("@workload(scores=classification(), ", '@workload(source="none", ')
    adding(repository, '("deploy",)', f"    return replace(plain, deploy=lambda network: lambda x: {outputs})")
    ended(repository.part("sly", "quality"), 1, "ERROR tiny sly cpu: ", said)


def test_22_a_permuted_test_set_is_an_error(repository):
    """Items are compared one by one with the control's."""
    body = """    found = plain.data()
    order = torch.arange(len(found.test)).roll(1)
    test = Split(inputs=found.test.inputs[order], targets=found.test.targets[order])
    return replace(plain, data=lambda: replace(found, test=test))"""
    adding(repository, '("data",)', body)
    ended(repository.part("sly", "quality"), 1, "ERROR tiny sly cpu: ", "test item")


def test_23_a_recipe_has_no_seed_to_forget(repository):
    """The suite seeds every run itself; a recipe that passes one is told so in one sentence."""
    repository.edit("epochs=2,", "epochs=2, seed=seed,")
    ended(repository.part("baseline", "size"), 11, "workload 'tiny': ", "unexpected keyword argument 'seed'")
