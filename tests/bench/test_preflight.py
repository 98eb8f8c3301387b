"""Before anything trains: a workload's fault is told once; a technique that cannot take the network is unavailable."""
# the expected value stands on the left

import random
from dataclasses import dataclass, replace

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


class Kept(Closed):
    """Keeps its answers by input."""

    def __init__(self):
        super().__init__()
        self.kept = {}

    def forward(self, x):
        if self.training:
            return self.layer(x)
        key = x.numpy().tobytes()
        if key not in self.kept:
            self.kept[key] = self.layer(x)
        return self.kept[key]


class Shifts(Closed):
    def forward(self, x):
        return self.layer(x.sub_(0.5))


class Clips(Closed):
    def forward(self, x):
        return self.layer(nn.functional.relu(x, inplace=True))


@pytest.mark.parametrize("model", [Shifts, Clips])
def test_a_network_that_writes_into_its_inputs_is_told_and_the_data_stay(model):
    """A second call with the same items would not see the same values; clipped twice they are what they were once."""
    mine = data()
    before = mine.test.inputs.clone()
    assert "it writes into its inputs, so that later calls would see other data" in said(
        declared(model=model, data=lambda: mine)
    )
    assert torch.equal(before, mine.test.inputs)


class Noisy(Closed):
    """Answers otherwise in one of ten calls."""

    def __init__(self, source):
        super().__init__()
        self.source = source

    def forward(self, x):
        drawn = random.random() if self.source == "random" else np.random.rand()  # noqa: NPY002, S311
        return self.layer(x) * (-1 if drawn < 0.1 else 1)


class Unused(Closed):
    """Draws in evaluation what it uses in training only, as layer drop of model hubs does."""

    def forward(self, x):
        drop = torch.rand([]) < 0.1
        return self.layer(x) * 0 if self.training and drop else self.layer(x)


class Running(Closed):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        self.mean.mul_(0.9).add_(0.1 * x.detach().mean(0))
        return self.layer(x - self.mean)


class Counting(Closed):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        self.calls += 1
        return self.layer(x)


class Sparse(Closed):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(3).to_sparse())

    def forward(self, x):
        return self.layer(torch.sparse.mm(self.matrix, x.t()).t())


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.GRU(1, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        hidden, state = self.layers(x[..., None])
        return self.head(hidden[:, -1]), state


class LossFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        scores = self.layer(x)
        return scores.square().mean(1), scores


class Outside(Closed):
    """Computes with tensors that it does not register."""

    def __init__(self):
        super().__init__()
        self.table, self.layers = torch.randn(3, 3), [nn.Linear(3, 3)]

    def forward(self, x):
        return self.layer(self.layers[0](x @ self.table) * TABLE)


TABLE = torch.ones(3)


class Last(Closed):
    """Keeps its last output, with its history."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen = [self.layer(x)]
        return self.seen[0]


class Box:
    def __init__(self, held):
        self.held = held


class Boxed(Last):
    def forward(self, x):
        self.seen = Box(self.layer(x))
        return self.seen.held


class OneItem(Closed):
    """Noise for one item alone."""

    def forward(self, x):
        return self.layer(x) + (torch.randn(()) if len(x) == 1 else 0)


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
    "noise for one item": ({"model": OneItem}, ["since a call draws from torch's generator;"]),
    "a computed tensor": (
        {"model": Boxed},
        ["cannot be copied after a step of training", "keep no computed tensor as an attribute"],
    ),
    "frozen": ({"model": frozen}, ["all its weights are frozen", "source='checkpoint'"]),
    "no weights": ({"model": nn.Identity, "data": lambda: data(torch.randn(20, 2))}, ["it has no weights"]),
    "a wrong file": ({"model": wrong_file}, ["Missing key(s)", "module.0.weight", "prefix of DataParallel"]),
    "a batch of one": (
        {"model": lambda: nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), "batches": batch_of_one},
        ["BatchNorm cannot train on one item"],
    ),
    "types that differ": ({"data": lambda: data(torch.zeros(20, 3).double())}, ["same dtype", "inputs float64 [N, 3]"]),
    "answers that are kept": (
        {"model": Kept},
        ["the copy answers from what it kept: other values of layer.weight and 1 more"],
    ),
    "several labels": (
        {"data": lambda: data(targets=torch.ones(20, 2)), "source": "checkpoint"},
        ["the train targets [N, 2] are no labels: row 0 sums to 2, so rows are not one-hot; write a Score"],
    ),
    "drawn by Python": ({"model": lambda: Noisy("random")}, ["since a call draws from Python's random;"]),
    "drawn by NumPy": ({"model": lambda: Noisy("numpy")}, ["since a call draws from numpy.random;"]),
    "a buffer that changes": ({"model": Running}, ["since a call changes its buffer mean; change it in training only"]),
    "a ScriptModule": ({"model": lambda: torch.jit.script(nn.Linear(3, 2))}, ["ScriptModule", "return the Python"]),
    "sparse weights": ({"model": Sparse}, ["its tensors matrix are not dense (sparse_coo)", "to_dense()"]),
    "a state among outputs": (
        {"model": Recurrent},
        ["for 8 items its output [1] has shape (1, 8, 4)", "dimension 1: transpose(0, 1), or return the logits alone"],
    ),
    "masks": (
        {"model": lambda: nn.Conv2d(1, 2, 1), "data": lambda: data(torch.randn(20, 1, 4, 4), torch.zeros(20, 4, 4))},
        ["the targets have shape [N, 4, 4] and the outputs (8, 2, 4, 4)", "== targets).float().mean((1, 2))"],
    ),
    "the loss first": (
        {"model": LossFirst, "data": lambda: data(targets=torch.arange(20) % 2 * 2)},
        ["from 0 to 2, and the first of 2 outputs (8,) scores 2 classes", "return the output (8, 3) first"],
    ),
    "no labels": (
        {"data": lambda: Splits(train=Split(inputs=torch.zeros(2, 3), targets=None), test=None)},
        ["found None; items without labels have their inputs as targets"],
    ),
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


def wide_and_frozen():
    return nn.Sequential(nn.Linear(3, 64), nn.Linear(64, 64), nn.Linear(64, 2)).requires_grad_(requires_grad=False)


def test_a_technique_whose_control_cannot_be_trained_is_unavailable_before_anything_trains():
    """All weights are frozen: factors of a low rank are new weights, which train; its control has none."""
    made = cell("low_rank(rank=2)", model=wide_and_frozen, source="checkpoint")
    with Bench(registry=REGISTRY, device="cpu", plan=Plan(profile="quick")) as bench:
        bench.preflight([made])
        with pytest.raises(UnavailableError, match=r"its control cannot be measured: extra_epochs.*frozen"):
            bench.require(made)


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


def remark(**slots):
    """The one remark on a checkpoint."""
    (found,) = check_workload(declared(source="checkpoint", **slots), "cpu").remarks
    return found


def test_tensors_outside_the_state_are_remarked():
    """Plain attributes, layers in a list, and a global."""
    found = remark(model=Outside)
    for part in ("table [3, 3]", "layers[0].weight [3, 3]", "and 1 more", "register_buffer"):
        assert part in found


def test_a_global_tensor_is_remarked_with_its_shape():
    """No module holds it."""

    class Scaled(Closed):
        def forward(self, x):
            return self.layer(x * TABLE + torch.tensor([1.0, 2.0, 3.0]))

    assert "state_dict (a tensor outside the network [3])" in remark(model=Scaled)


def test_a_probability_in_the_place_of_a_logit_is_remarked():
    """It is above 0 for every item."""
    head = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
    assert "return it without the sigmoid" in remark(model=lambda: head)


def test_logits_that_happen_to_lie_between_0_and_1_are_not_remarked():
    """Other weights have others."""
    head = nn.Linear(3, 1)
    with torch.no_grad():
        head.weight.mul_(0.01)
        head.bias.fill_(0.5)
    assert [] == check_workload(declared(model=lambda: head), "cpu").remarks


def test_a_loss_that_is_judged_as_a_logit_is_remarked():
    """Two classes, so that the labels fit."""
    assert "judges the first of 2 outputs (8,) as the logit of class 1; return the output (8, 3) first" in remark(
        model=LossFirst
    )


def test_draws_without_an_effect_are_remarked_and_not_refused():
    """Networks of model hubs draw layer drop in evaluation too."""
    assert "draws from torch's generator, and 32 draws left its outputs as they were" in remark(model=Unused)


def test_a_counter_of_calls_is_known_and_no_fault():
    """It has no effect on outputs."""
    seen = check_workload(declared(model=Counting), "cpu")
    assert ([], frozenset({"calls"})) == (seen.remarks, seen.moving)


def test_a_network_that_keeps_its_last_output_can_be_copied():
    """Whether its history is kept with it, or not."""
    check_workload(declared(model=Last), "cpu")


@dataclass
class Named:
    logits: torch.Tensor
    hidden: torch.Tensor


class AsModelHubs(Closed):
    def forward(self, x):
        return Named(logits=self.layer(x), hidden=x.t() if len(x) == 8 else x)


def test_an_output_of_a_dataclass_is_named_by_its_field():
    """Its items are in another dimension."""
    assert "for 8 items its output ['hidden'] has shape (3, 8)" in said(declared(model=AsModelHubs))


def test_norms_and_zero_heads_are_not_taken_for_kept_answers():
    """Answers do not depend on every weight, or not on its scale."""
    head = nn.Linear(4, 2)
    nn.init.zeros_(head.weight)
    check_workload(declared(model=lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), head)), "cpu")


def test_rows_of_probabilities_are_labels():
    """Their class is the likeliest."""
    check_workload(declared(data=lambda: data(targets=torch.full((20, 2), 0.5))), "cpu")
