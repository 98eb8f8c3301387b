"""Reused trainings: the same network and nothing else, and a training wherever anything has changed."""
# the expected value stands on the left

import json
import os
from dataclasses import replace

import pytest
import tiny
import torch

from suite.bench import training_cache
from suite.bench.options import Options
from suite.bench.trained_store import TrainedStore
from suite.bench.training_cache import SUFFIX, Trainings
from suite.catalog.scores import classification
from suite.core.errors import SetupError
from suite.core.metrics import measured
from suite.core.records import RunHeader, Where
from suite.gate.recording.checks import doubt
from suite.registry import REGISTRY, Registry

FACTS = {"sources": "a", "machine": "m", "versions": {"torch": "2.15.0"}, "flags": {}}
FINISHED = "halved(epochs=1)"


@pytest.fixture
def news():
    """What was trained and fine-tuned: (composition, seed), one entry an epoch."""
    return []


@pytest.fixture
def run(tmp_path, news):
    """A new run's store on the same folder of trainings."""

    def start(made=None, *, folder=tmp_path, code="a", limit=training_cache.LIMIT, **changes):
        def reporter(_workload, composition):
            return lambda progress: news.append((composition, progress.seed))

        cache = Trainings(folder=folder, facts=FACTS | changes, code=lambda: code, limit=limit)
        return TrainedStore(registry=made or tiny.registry(), device="cpu", reporter=reporter, cache=cache)

    return start


def get(store, composition="baseline", seed=0, workload="halves"):
    return store.get(store.registry.find_workload(workload), store.registry.resolve(composition), seed)


def files(folder):
    return sorted(folder.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("composition", ["baseline", "nhwc", FINISHED, f"{FINISHED}+wrapped"])
def test_a_second_run_takes_the_network_and_its_report(run, news, composition):
    """Bits of the weights, seconds and epochs are the first run's; it knows that it is no training of its own."""
    first = get(run(), composition)
    news.clear()
    second = get(run(), composition)
    assert [] == news
    assert tiny.equal_states(tiny.state(first.network), tiny.state(second.network))
    assert (first.seconds, first.epochs) == (second.seconds, second.epochs)
    assert (False, True) == (first.reused, second.reused)
    assert not second.network.training


def test_a_technique_that_is_new_is_finished_from_the_kept_fit(run, news):
    """Only its own epochs are trained; what it cost is not this run's whole cost, so it counts as reused."""
    get(run())
    news.clear()
    store = run()
    assert get(store, FINISHED).reused
    assert [(FINISHED, 0)] == news
    assert store.reuses("halves", {FINISHED})
    assert not store.reuses("halves", {"nhwc"})


def test_what_this_run_trained_and_freed_is_not_called_reused(run, news):
    """A network comes back from the folder after its release, with the figures that this run measured."""
    store = run()
    get(store, "nhwc")
    store.clear()
    news.clear()
    assert not get(store, "nhwc").reused
    assert [] == news
    assert 0 == store.cache.reused


@pytest.mark.parametrize(
    "changed",
    [
        {"sources": "b", "code": "b"},
        {"machine": "n"},
        {"versions": {"torch": "2.16.0"}},
        {"flags": {"deterministic": 1}},
    ],
    ids=str,
)
def test_another_code_machine_version_or_setting_trains_anew(run, news, changed):
    """The old file is of no use to it, and is no damage either."""
    get(run())
    news.clear()
    store = run(**changed)
    get(store)
    assert tiny.EPOCHS == len(news)
    assert [] == store.cache.notes


def test_another_seed_or_composition_trains_anew(run, news):
    """Each has a file of its own."""
    get(run())
    news.clear()
    store = run()
    get(store, seed=1)
    get(store, "nhwc")
    assert {("baseline", 1), ("nhwc", 0)} == set(news)


def one_workload(data=tiny.splits, model=tiny.Net, **declared):
    """A registry with the workload ``halves`` that declares no digest."""
    made = Registry()

    @made.workload(scores=classification(), **declared)
    def halves(seed):
        """Which half is bright."""
        return tiny.recipe(seed, data=lambda: data(seed), model=model)

    made.technique(slots=())(REGISTRY.find_technique("baseline").function)
    made.technique(slots=("finish",), needs=())(tiny.registry().find_technique("longer").function)
    return made


def test_data_that_changed_train_anew_though_nobody_declared_a_digest(run, news):
    """A file may change while no source does: one pixel is enough."""

    def other(seed):
        found = tiny.splits(seed)
        inputs = found.train.inputs.clone()
        inputs[0, 0, 0, 0] += 1
        return replace(found, train=replace(found.train, inputs=inputs))

    get(run(one_workload()))
    news.clear()
    get(run(one_workload(data=other)))
    assert tiny.EPOCHS == len(news)


def test_a_file_that_the_training_read_trains_anew_once_it_has_changed(run, news, tmp_path):
    """Its optimizer reads the learning rate when training begins; no source says so."""
    config = tmp_path / "config.json"

    def registry():
        made = Registry()

        @made.workload(scores=classification())
        def halves(seed):
            """The tiny workload, its learning rate from a file."""

            def optimizer(parameters, _):
                return torch.optim.SGD(parameters, lr=float(config.read_text("utf-8")))

            return tiny.recipe(seed, optimizer=optimizer)

        @made.technique(slots=())
        def baseline(plain):
            """Change nothing."""
            return plain

        return made

    config.write_text("0.1", "utf-8")
    get(run(registry()))
    news.clear()
    assert get(run(registry())).reused
    config.write_text("0.001", "utf-8")
    third = run(registry())
    assert not get(third).reused
    assert "config.json, which its training read, has changed" in third.cache.notes[0]


def test_another_checkpoint_is_fine_tuned_anew(run, news):
    """Its file is no source either."""

    def other():
        network = tiny.Net()
        with torch.no_grad():
            network.fc2.bias.add_(1)
        return network

    get(run(one_workload(source="checkpoint")), "longer(epochs=1)")
    get(run(one_workload(source="checkpoint")), "longer(epochs=1)")
    assert 1 == len(news)
    get(run(one_workload(source="checkpoint", model=other)), "longer(epochs=1)")
    assert 2 == len(news)


@pytest.mark.parametrize(
    "harm", [lambda b: b[:-7], lambda _: b"", lambda b: b.replace(b"fc1", b"fc9"), lambda _: b"{}\n"]
)
def test_a_damaged_file_costs_a_training_and_a_line(run, news, tmp_path, harm):
    """Nothing of it is unpickled; it is replaced."""
    get(run())
    (path,) = files(tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    news.clear()
    store = run()
    assert not get(store).reused
    assert tiny.EPOCHS == len(news)
    assert [f"halves baseline seed 0 is trained again: {path} is damaged"] == store.cache.notes
    assert get(run()).reused


def test_a_file_that_others_can_write_is_not_loaded(run, tmp_path):
    """Unpickling it would run what they wrote."""
    get(run())
    (kept,) = files(tmp_path)
    kept.chmod(0o666)
    again = run()
    assert not get(again).reused
    assert "can be written by others" in again.cache.notes[0]


def test_a_file_that_is_a_link_is_not_loaded(run, tmp_path):
    """Loading runs code: it has to be this user's own file in this very folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    get(run(folder=elsewhere))
    (path,) = files(elsewhere)
    try:
        (tmp_path / path.name).symlink_to(path)
    except OSError:
        pytest.skip("links need a privilege here")
    store = run()
    assert not get(store).reused
    assert "would run its code" in store.cache.notes[0]


def test_what_was_trained_with_sources_that_changed_meanwhile_is_not_kept(run, tmp_path):
    """A module that is imported while training is not in the digest that the run began with."""
    store = run(code="edited")
    get(store)
    assert [] == files(tmp_path)
    assert "sources changed or were first imported while it trained" in store.cache.notes[0]


def test_a_network_that_cannot_be_pickled_is_trained_each_time(run, tmp_path):
    """It says so, and the run goes on."""

    class Stubborn(tiny.Net):
        def __reduce_ex__(self, _):
            raise TypeError("not me")

        def __deepcopy__(self, _):
            made = Stubborn()
            made.load_state_dict(self.state_dict())
            return made

    store = run(one_workload(model=Stubborn))
    assert not get(store).reused
    assert [] == files(tmp_path)
    assert (
        "halves baseline seed 0 is not kept: its network cannot be pickled: TypeError: not me" == store.cache.notes[0]
    )


def test_what_was_not_used_for_longest_goes_first(run, tmp_path):
    """Reading counts as use; a half-written file of a writer that is gone goes as well."""
    for seed in (0, 1):
        get(run(), seed=seed)
    size = max(path.stat().st_size for path in files(tmp_path))
    for path in files(tmp_path):
        os.utime(path, (1, 1))
    half = tmp_path / f".half{SUFFIX}"
    half.write_bytes(b"x")
    os.utime(half, (1, 1))
    get(run(), seed=0)
    get(run(limit=2 * size + size // 2), seed=2)
    assert not half.exists()
    assert 2 == len(files(tmp_path))
    assert get(run(), seed=0).reused
    assert not get(run(), seed=1).reused


def test_a_training_larger_than_the_folder_is_not_kept(run, tmp_path):
    """It would push out everything and itself."""
    store = run(limit=10)
    get(store)
    assert [] == files(tmp_path)
    assert "more than the folder may hold (10)" in store.cache.notes[0]


def test_a_workload_that_nobody_trains_keeps_nothing(run, tmp_path):
    """Building its network is all there is."""
    get(run(), workload="unlabelled")
    assert [] == files(tmp_path)


@pytest.mark.parametrize(
    "composition",
    [
        "structured_pruning(ratio=0.4,epochs=1)",
        "structured_pruning(ratio=0.4,epochs=1)+channels_last",
        "magnitude_pruning(epochs=1)",
        "narrow",
    ],
)
def test_finished_structures_survive(run, composition):
    """Channels that are gone stay gone, strides stay, and outputs agree to the last bit."""
    made = one_workload()
    for name in ("structured_pruning", "magnitude_pruning", "narrow", "channels_last"):
        found = REGISTRY.find_technique(name)
        made.technique(slots=found.slots)(found.function)
    first, second = (get(run(made), composition) for _ in range(2))
    assert second.reused
    shapes = [{n: (t.shape, t.stride()) for n, t in one.network.state_dict().items()} for one in (first, second)]
    assert shapes[0] == shapes[1]
    inputs = tiny.splits(0).test.inputs
    assert torch.equal(first.network(inputs), second.network(inputs))
    assert type(first.network) is type(second.network)


HEADER = RunHeader(
    run="r", started="2026-11-23T15:04:05+00:00", command="suite bench", commit=None, seeds=(0,), profile="quick",
    where=Where(machine="m", family="f", device="cpu", threads=1), quiet=True, sources="a",
)  # fmt: skip
ACCURACY = measured(tiny.BASELINE_CELL, "accuracy", 0.9)


def test_recording_refuses_reused_trainings(tmp_path):
    """An expectation is what was measured; figures of reused trainings are skipped by `suite record` as well."""
    with pytest.raises(SetupError, match="drop --reuse"):
        training_cache.check(Options(reuse=tmp_path, expect="record"))
    training_cache.check(Options(reuse=tmp_path))
    assert "--reuse" in doubt(replace(ACCURACY, reused=True), HEADER, {}, single=False)
    assert "" == doubt(ACCURACY, HEADER, {}, single=False)


def test_the_folder_is_made_only_where_it_was_asked_for(tmp_path):
    """And is nobody else's to write into."""
    assert training_cache.opened(Options(), HEADER) is None
    folder = tmp_path / "a" / "cache"
    assert folder == training_cache.opened(Options(reuse=folder), HEADER).folder
    if os.name == "posix":
        assert 0o700 == folder.stat().st_mode & 0o777


def test_a_folder_that_cannot_be_written_ends_the_run_before_it_begins(tmp_path):
    """The likely fix stands beside it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--cache-dir"):
        training_cache.opened(Options(reuse=tmp_path / "file"), HEADER)


def test_the_summary_says_how_many_figures_are_of_reused_trainings(tmp_path):
    """And what was therefore not measured."""
    trainings = Trainings(folder=tmp_path, facts={}, code=str, notes=["x is damaged"], reused=3)
    damaged, told = training_cache.lines(trainings, [replace(ACCURACY, reused=True), ACCURACY])
    assert "reuse: x is damaged" == damaged
    assert told.startswith("reused: 1 metrics of quality and size in 1 cells")
    assert "run without --reuse" in told
    assert [] == training_cache.lines(None, [])
    assert ["reused: 3 trainings of earlier runs, from " + str(tmp_path)] == training_cache.lines(
        replace(trainings, notes=[]), [ACCURACY]
    )


def test_a_file_says_what_it_is_of_in_its_first_line(run, tmp_path):
    """A person can read it without unpickling anything."""
    get(run(), "nhwc", seed=1)
    (path,) = files(tmp_path)
    with path.open("rb") as file:
        facts = json.loads(file.readline())["facts"]
    assert ("fit", "halves", "nhwc", 1) == tuple(facts[name] for name in ("stage", "workload", "composition", "seed"))
