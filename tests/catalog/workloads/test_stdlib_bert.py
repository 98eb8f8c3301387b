"""The byte encoder: sees both sides, pre-trains before it classifies; its parts share no file."""
# the expected value stands on the left

import os
import platform
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.catalog.workloads import stdlib_bert
from suite.catalog.workloads.stdlib_bert import (
    BATCH,
    CLASSIFYING,
    MASK,
    PACKAGES,
    STEPS,
    ByteEncoder,
    labelled,
    parted,
    shared_out,
    some_batches,
)
from suite.catalog.workloads.stdlib_text import WINDOW
from suite.core.errors import SetupError
from suite.registry import REGISTRY
from suite.training.data import Batch, Split, Splits
from suite.training.loop import fit, start
from suite.training.recipe import scaled

EXAMPLES = settings(max_examples=500 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 20)


def text_of(place, files=6):
    """Files of a package that speaks of itself alone."""
    return tuple(f"def {PACKAGES[place]}_{number}(x):\n    return x\n".encode() * 60 for number in range(files))


def tiny_parts():
    return parted({package: text_of(place) for place, package in enumerate(PACKAGES)})


def trainee_at(epoch, epochs):
    recipe = replace(stdlib_bert.stdlib_bert(0), model=scaled(ByteEncoder, 0.25), epochs=epochs)
    trainee = start(recipe, seed=0, device="cpu", reference=lambda _: None)
    trainee.epoch = epoch
    return trainee


def a_batch():
    return Batch(inputs=torch.randint(256, (4, WINDOW)), targets=torch.tensor([0, 1, 2, 3]))


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 75_272), (0.25, 9_608)])
def test_the_encoder_has_the_parameters_of_its_width(width, parameters):
    """One score for each package."""
    network = ByteEncoder(width)
    assert parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (3, len(PACKAGES)) == tuple(network(torch.zeros(3, WINDOW, dtype=torch.long)).shape)


@torch.no_grad()
def test_a_byte_is_seen_from_both_sides():
    """A changed byte in the middle changes what stands for the first and for the last."""
    torch.manual_seed(0)
    network, tokens = ByteEncoder(0.25).eval(), torch.randint(256, (1, WINDOW))
    changed = tokens.clone()
    changed[0, WINDOW // 2] = MASK
    difference = (network.encode(tokens) - network.encode(changed)).abs().amax(2)[0]
    assert difference[0] > 0
    assert difference[-1] > 0


def test_neighbours_come_from_the_byte_before_and_after():
    """The outermost bytes have none on one side: zeros."""
    found = stdlib_bert.neighbours(torch.arange(12.0).reshape(1, 3, 4) + 1)
    assert [[[1, 2, 0, 8], [5, 6, 3, 12], [9, 10, 7, 0]]] == found.tolist()


def test_the_first_epochs_predict_hidden_bytes_and_the_last_classify():
    """The loss of the former leaves the classifier alone and trains a helper; that of the latter has no helper."""
    epochs = CLASSIFYING + 2
    for epoch, masks in ((0, True), (1, True), (2, False), (epochs - 1, False)):
        trainee, batch = trainee_at(epoch, epochs), a_batch()
        trainee.recipe.loss(trainee, batch, trainee.forward(batch.inputs)).backward()
        assert masks == ("bytes" in trainee.helpers)
        assert masks == (trainee.network.classifier.weight.grad is None)


@pytest.mark.parametrize("epochs", [1, CLASSIFYING])
def test_a_fine_tuning_classifies_from_its_first_epoch(epochs):
    """What is fine-tuned is pre-trained already."""
    trainee, batch = trainee_at(0, epochs), a_batch()
    trainee.recipe.loss(trainee, batch, trainee.forward(batch.inputs)).backward()
    assert not trainee.helpers


def test_a_share_of_the_bytes_is_predicted_and_the_others_are_as_they_were():
    """15 % are chosen; the encoder is shown a mask for four of five of them."""
    trainee = trainee_at(0, CLASSIFYING + 1)
    seen = []
    trainee.network.embedding.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tokens = torch.randint(256, (8, WINDOW))
    torch.manual_seed(1)
    stdlib_bert.hidden_bytes(trainee, tokens)
    changed = seen[0] != tokens
    assert 0.08 < (seen[0] == MASK).float().mean() < 0.16
    assert 0.1 < changed.float().mean() < 0.18


def test_of_the_chosen_bytes_most_are_masked_some_random_and_some_kept():
    """Four fifths, a tenth and a tenth; what is not chosen is kept."""
    torch.manual_seed(0)
    tokens, chosen = torch.full((100, 500), 7), torch.rand(100, 500) < 0.5
    found = stdlib_bert.corrupted(tokens, chosen)
    assert bool((found[~chosen] == 7).all())
    shares = [
        float(mask[chosen].float().mean()) for mask in (found == MASK, (found != MASK) & (found != 7), found == 7)
    ]
    assert pytest.approx([0.8, 0.1, 0.1], abs=0.01) == shares


def test_an_encoder_inside_another_module_pre_trains_too():
    """Techniques may wrap the network."""
    trainee = trainee_at(0, CLASSIFYING + 1)
    trainee.network = torch.nn.Sequential(trainee.network)
    assert torch.isfinite(stdlib_bert.hidden_bytes(trainee, a_batch().inputs))


@EXAMPLES
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=12, unique=True))
def test_every_file_lies_in_one_part(texts):
    """None is lost and none is shared, in whatever order they come."""
    found = shared_out(texts)
    assert sorted(texts) == sorted(text for part in found.values() for text in part)
    assert found == shared_out(reversed(texts))


def test_parts_hold_all_packages_with_their_labels():
    """Every window is of the package that its label names."""
    for rows in tiny_parts().values():
        part = labelled(rows)
        for window, target in zip(part.inputs, part.targets, strict=True):
            assert PACKAGES[target].encode() in bytes(window.tolist())


def test_a_package_without_files_is_named():
    """A stripped Python says what it lacks."""
    with pytest.raises(SetupError, match="too few sources of asyncio for the validation part"):
        parted({"asyncio": (b"x" * 1000,)})


def test_an_epoch_has_the_steps_that_the_recipe_says_for_few_and_many_windows():
    """Full batches of windows, none twice."""
    recipe = stdlib_bert.stdlib_bert(0)
    for items in (BATCH - 1, 3 * BATCH + 5, STEPS * BATCH + 40):
        train = Split(inputs=torch.arange(items)[:, None], targets=torch.arange(items))
        found = list(some_batches(train, torch.Generator().manual_seed(0)))
        seen = [item for batch in found for item in batch.targets.tolist()]
        assert recipe.steps_per_epoch(items) == len(found) == min(STEPS, items // BATCH)
        assert len(found) * BATCH == len(seen) == len(set(seen))


def test_the_encoder_is_scored_by_accuracy_and_runs_by_name(monkeypatch):
    """A seed trains for more than half a minute; the digest names Python, whose sources the data are."""
    found = REGISTRY.find_workload("stdlib_bert")
    assert ("accuracy", False, False) == (found.primary.name, found.quick, found.default)
    monkeypatch.setattr(stdlib_bert, "parts", tiny_parts)
    name, _, rest = stdlib_bert.digest().partition(":")
    assert name.endswith(f"-{platform.python_version()}")
    assert 16 == len(rest)


def test_both_stages_together_learn_which_package_it_is(monkeypatch):
    """On packages that name themselves, far better than one in eight."""
    parts = {name: labelled(rows) for name, rows in tiny_parts().items()}
    monkeypatch.setattr(stdlib_bert, "splits", lambda: Splits(**parts))
    recipe = replace(
        stdlib_bert.stdlib_bert(0), model=scaled(ByteEncoder, 0.25), learning_rate=2e-2, epochs=CLASSIFYING + 1
    )
    trained = fit(recipe, seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)
    with torch.no_grad():
        found = trained.network(parts["test"].inputs).argmax(1)
    assert 0.5 < (found == parts["test"].targets).float().mean()
