"""Before anything trains: a workload's fault is told once; a technique that cannot take the network is unavailable."""
# the expected value stands on the left

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from torch import nn

from suite.bench.bench import Bench, Plan
from suite.bench.preflight.repeats import remarks
from suite.bench.preflight.technique import CellChecks
from suite.bench.preflight.workload import check_workload
from suite.bench.resolved_cell import Case, case
from suite.catalog.scores import classification, regression
from suite.core.errors import SetupError, UnavailableError
from suite.registry import REGISTRY
from suite.training.recipe import Batch, Recipe, Split, Splits


def data(inputs=None, targets=None):
    """12 training and 8 test items; of two classes where nothing else is said."""
    inputs = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)) if inputs is None else inputs
    targets = torch.arange(20) % 2 if targets is None else targets
    take = lambda tree, part: {k: v[part] for k, v in tree.items()} if isinstance(tree, dict) else tree[part]  # noqa: E731
    parts = {"train": slice(0, 12), "test": slice(12, 20)}
    return Splits(**{name: Split(inputs=take(inputs, p), targets=targets[p]) for name, p in parts.items()})


def declared(scores=None, source="train", **slots):
    """A workload of its own registry."""
    registry = tiny.registry()
    plain = {"data": data, "model": lambda: nn.Linear(3, 2), "epochs": 1} | slots

    @registry.workload(scores=classification() if scores is None else scores, source=source)
    def mine(_seed):
        """The user's."""
        return Recipe(**plain)

    return registry.find_workload("mine")


def said(workload):
    with pytest.raises(SetupError) as error:
        check_workload(workload, "cpu")
    return str(error.value)


class Wet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return F.dropout(self.layer(x), 0.5)


class Closed(Wet):
    """Computes with a tensor that no copy has."""

    def forward(self, x):
        return self.layer(x)


def hooked():
    network = Closed()
    plain = network.forward
    network.forward = lambda x: 1.0 * plain(x)
    return network


class Keyed(Closed):
    def forward(self, x):
        return self.layer(x["imge"])


class Squeezed(Closed):
    def forward(self, x):
        return self.layer(x).squeeze(0)


def frozen():
    return nn.Linear(3, 2).requires_grad_(requires_grad=False)


def wrong_file():
    network = nn.Sequential(nn.Linear(3, 2))
    network.load_state_dict({f"module.{name}": value for name, value in network.state_dict().items()})
    return network


def batch_of_one(train, _generator):
    yield Batch(inputs=train.inputs[:1], targets=train.targets[:1])


FAULTS = {
    "dropout while serving": ({"model": Wet}, ["give different outputs", "training=self.training"]),
    "forward on the instance": (
        {"model": hooked},
        ["original's weights (layer.weight and 1 more)"],
    ),
    "a wrong key": (
        {"model": Keyed, "data": lambda: data({"image": torch.zeros(20, 3)})},
        ["'imge'", "image': float"],
    ),
    "labels from 1": ({"data": lambda: data(targets=torch.arange(20) % 2 + 1)}, ["from 1 to 2", "subtract 1"]),
    "one item squeezed": (
        {"model": Squeezed},
        ["for 1 item its output has shape (2,)"],
    ),
    "frozen": ({"model": frozen}, ["all its weights are frozen", "source='checkpoint'"]),
    "no weights": ({"model": nn.Identity, "data": lambda: data(torch.randn(20, 2))}, ["it has no weights"]),
    "a wrong file": ({"model": wrong_file}, ["Missing key(s)", "module.0.weight", "prefix of DataParallel"]),
    "a batch of one": (
        {"model": lambda: nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), "batches": batch_of_one},
        ["BatchNorm cannot train on one item"],
    ),
    "types that differ": ({"data": lambda: data(torch.zeros(20, 3).double())}, ["same dtype", "inputs float64 [N, 3]"]),
    "no finite loss": ({"loss": lambda _t, _b, out: out.sum() * float("nan")}, ["loss of the first batch is", "nan"]),
}


@pytest.mark.parametrize(("slots", "parts"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_workload_is_told_with_the_users_line_and_a_remedy(slots, parts):
    """Nothing is trained before."""
    text = said(declared(**slots))
    assert text.startswith("workload 'mine': ")
    assert "test_preflight.py:" in text
    assert [] == [part for part in parts if part not in text]


def test_outputs_of_a_regression_with_another_number_of_values_are_told():
    """Before training, with both shapes."""
    assert "must hold as many values" in said(declared(scores=regression(), data=lambda: data(targets=torch.randn(20))))


@pytest.mark.parametrize("model", [lambda: nn.Linear(3, 1), lambda: nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))])
@pytest.mark.parametrize("kind", [torch.long, torch.float32])
def test_one_logit_is_no_fault(model, kind):
    """For labels of either type."""
    check_workload(declared(model=model, data=lambda: data(targets=(torch.arange(20) % 2).to(kind))), "cpu")


def trained_by_its_builder():
    network = nn.Linear(3, 2)
    F.cross_entropy(network(data().train.inputs), data().train.targets).backward()
    return network


def test_a_builder_may_train_what_it_returns():
    """Nobody asks it for a network while gradients are off."""
    check_workload(declared(source="checkpoint", model=trained_by_its_builder), "cpu")


def test_data_that_are_not_here_are_no_fault():
    """Their cells are unavailable."""

    def absent():
        raise UnavailableError("download them")

    check_workload(declared(data=absent), "cpu")


def test_the_users_random_numbers_go_on():
    """A preflight draws none of them."""
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check_workload(declared(), "cpu")
    assert torch.equal(expected, torch.rand(2))


class Viewed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(64, 2)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.head(x.view(len(x), -1))


def cell(technique, **slots) -> Case:
    """A built-in technique on a workload that is in no registry."""
    found = declared(**slots)
    made = case(REGISTRY, REGISTRY.find_workload("digits_cnn"), technique, "cpu")
    return replace(made, workload=found, cell=replace(made.cell, workload="mine"))


def test_a_layout_that_the_network_cannot_take_is_unavailable_before_anything_trains():
    """``view`` after a convolution needs contiguous memory; the reason names the user's line."""
    made = cell("channels_last", model=Viewed, data=lambda: data(torch.randn(20, 3, 4, 4)))
    with pytest.raises(
        UnavailableError, match=r"channels_last: this network cannot be trained with it: .*preflight.py:\d"
    ):
        CellChecks(registry=REGISTRY, device="cpu").check(made)


class FromBytes(Closed):
    def forward(self, x):
        return self.layer(x.float() / 255)


def test_a_precision_that_the_network_cannot_compute_in_is_unavailable_before_anything_trains():
    """Floats that are made inside stay float32."""
    made = cell("pure_bf16", model=FromBytes, data=lambda: data(torch.zeros(20, 3, dtype=torch.uint8)))
    with pytest.raises(UnavailableError, match=r"pure_bf16: this network cannot be served with it: .*same dtype"):
        CellChecks(registry=REGISTRY, device="cpu").check(made)


def test_a_users_own_technique_that_fails_is_left_to_its_cell():
    """It is an error there, with its frame, and no limit of the network."""
    registry = tiny.registry()

    @registry.technique(slots=("deploy",))
    def mistaken(_plain):
        """Fails."""
        raise ValueError("a mistake")

    CellChecks(registry=registry, device="cpu").check(tiny.case_of(registry, "mistaken"))


def test_a_bench_knows_what_its_preflight_found():
    """The faulty workload by its message; the cell that cannot run as unavailable, without training."""
    registry = tiny.registry()

    @registry.workload(scores=classification())
    def wet(_seed):
        """Dropout while serving."""
        return Recipe(data=data, model=Wet)

    with Bench(registry=registry, device="cpu", plan=Plan(profile="quick")) as bench:
        cases = [tiny.case_of(registry, "baseline"), tiny.case_of(registry, "baseline", "wet")]
        assert ["wet"] == list(bench.preflight(cases))


class Drawn(Closed):
    """First weights of a generator."""

    def __init__(self, draw):
        super().__init__()
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor(draw(), dtype=torch.float32))


def test_weights_drawn_by_numpy_and_random_follow_the_seed():
    """Two builds are alike, and another seed has others."""
    import random

    for draw in (
        lambda: np.random.normal(size=(2, 3)),  # noqa: NPY002
        lambda: [random.sample(range(9), 3) for _ in range(2)],
    ):
        assert [] == remarks(declared(model=lambda draw=draw: Drawn(draw)))


def test_a_network_that_does_not_repeat_is_remarked():
    """Its generator is seeded by nobody."""
    found = remarks(declared(model=lambda: Drawn(lambda: np.random.default_rng().normal(size=(2, 3)))))
    assert 1 == len(found)
    assert "'mine': two builds with the same seed have different weights (layer.weight), so this" in found[0]


def unseeded(train, _generator):
    order = torch.from_numpy(np.random.default_rng().permutation(len(train)))
    yield Batch(inputs=train.inputs[order], targets=train.targets[order])


def test_batches_that_do_not_repeat_are_remarked():
    """Their order is drawn elsewhere than from the generator that they are given."""
    assert "its batches differ between two runs with the same seed" in remarks(declared(batches=unseeded))[0]


def test_a_checkpoint_that_was_not_loaded_is_remarked():
    """Two builds would have the file's weights."""
    (found,) = remarks(declared(source="checkpoint"))
    assert "2 of 2 tensors (weight, bias) differ between two builds, so they are not from the checkpoint" in found
    torch.manual_seed(0)
    state = nn.Linear(3, 2).state_dict()

    def loaded():
        network = nn.Linear(3, 2)
        network.load_state_dict(state)
        return network

    assert [] == remarks(declared(source="checkpoint", model=loaded))
