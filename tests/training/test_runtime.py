"""The slot that turns a network into files and files into what answers requests."""
# the expected value stands on the left

from dataclasses import replace

import pytest
import tiny
import torch
from safetensors.torch import load

from suite.core.errors import CompositionError, RegistrationError, UsageError
from suite.registry import Registry
from suite.training.recipe import Recipe
from suite.training.runtime import EAGER, Artifact, InTorch, Predictor, coded, running
from suite.training.serving import serve


class Engine:
    """Answers with the mean of each item; holds no network."""

    def export(self, _network, example):
        self.example = example
        return Artifact(write=lambda: {"b": b"22", "a": b"1"})

    def load(self, _artifact, _device):
        return Predictor(call=lambda x: x.flatten(1).mean(1, keepdim=True).expand(-1, 2))


def served(**slots):
    trained = tiny.fitted()
    return serve(replace(trained, recipe=replace(trained.recipe, **slots)))


def test_an_artefact_is_its_files_in_the_order_of_their_names():
    """Written once; the digest follows names and bytes."""
    calls = []
    one = Artifact(write=lambda: calls.append(1) or {"b": b"22", "a": b"1"})
    other = Artifact(write=lambda: {"a": b"1", "c": b"22"})
    assert (["a", "b"], b"122") == (list(one.files), one.content)
    assert one.digest == Artifact(write=lambda: {"a": b"1", "b": b"22"}).digest != other.digest
    assert (64, 1) == (len(one.digest), len(calls))


@pytest.mark.parametrize("content", [{}, None, b"bytes", {"a": "text"}])
def test_an_artefact_without_bytes_is_an_error(content):
    """What ships cannot be nothing."""
    with pytest.raises(UsageError, match="must export the bytes of at least one file"):
        _ = Artifact(write=lambda: content).files


def test_the_plain_runtime_runs_the_network_and_ships_its_weights():
    """As float32, which it says."""
    found = served()
    assert found.call is found.network
    assert ("fp32", True) == (found.predictor.precision, found.in_torch)
    assert tiny.equal_states(tiny.state(found.network), load(found.artifact.content))


def test_the_precision_is_that_of_the_weights():
    """None where they have several types."""
    assert "bf16" == served(quantize=lambda network, _: network.bfloat16()).predictor.precision
    mixed = served(quantize=lambda network, _: (network.fc2.bfloat16(), network)[1])
    assert mixed.predictor.precision is None


def test_how_a_network_runs_and_how_it_is_written_are_replaced_one_by_one():
    """A code of the weights stays below a compiler, in either order."""
    encode, run = (lambda _network: b"x"), (lambda network, _device: network.__call__)
    assert InTorch(run=run, encode=encode) == running(coded(EAGER, encode), run) == coded(running(EAGER, run), encode)


def test_what_deploy_made_is_run_and_the_weights_before_it_ship():
    """A function has no weights to write."""
    found = served(deploy=lambda network: lambda x: 2 * network(x), runtime=running(EAGER, lambda call, _: call))
    inputs = tiny.splits(0).test.inputs
    assert torch.equal(2 * found.network(inputs), found(inputs))
    assert served().artifact.content == found.artifact.content


def test_an_engine_gets_two_training_inputs_and_what_deploy_made_of_the_network():
    """And nothing that is not a network."""
    engine = Engine()
    found = served(runtime=engine)
    assert torch.equal(tiny.splits(0).train.inputs[:2], engine.example)
    assert (False, [], b"122") == (found.in_torch, found.tensors(), found.artifact.content)
    with pytest.raises(CompositionError, match="Engine exports networks, and the slot deploy made a function"):
        served(runtime=engine, deploy=lambda network: lambda x: 2 * network(x))


@pytest.mark.parametrize("change", [lambda one: running(one, lambda c, _: c), lambda one: coded(one, lambda _: b"x")])
def test_what_changes_how_torch_serves_cannot_follow_an_engine(change):
    """The engine's files would not be what is run."""
    with pytest.raises(CompositionError, match="Engine does not run the network in torch"):
        change(Engine())


@pytest.mark.parametrize(("method", "kind"), [("export", "Artifact"), ("load", "Predictor")])
def test_a_runtime_that_returns_something_else_is_an_error(method, kind):
    """The message names the method and the class."""
    engine = type("Odd", (Engine,), {method: lambda *_: b"x"})()
    with pytest.raises(RegistrationError, match=rf"Odd\.{method} must return a suite\.training\.runtime\.{kind}"):
        served(runtime=engine)


def test_torch_cannot_run_files_alone():
    """They hold weights, and no code."""
    with pytest.raises(UsageError, match="this artefact holds files alone"):
        EAGER.load(Engine().export(None, None), "cpu")


def test_the_former_slot_is_accepted_with_a_warning_that_names_the_new_one():
    """In a recipe, and in what a technique declares."""
    with pytest.warns(FutureWarning, match="'serialize' is a part of the slot 'runtime' now"):
        plain = tiny.recipe(serialize=lambda _network: b"mine")
    assert b"mine" == served(runtime=plain.runtime).artifact.content
    made = Registry()
    with pytest.warns(FutureWarning, match=r"technique 'mine' at .*test_runtime\.py:\d+: the slot 'serialize'"):

        @made.technique(slots=("deploy", "serialize"))
        def mine(recipe: Recipe) -> Recipe:
            """Ships four bytes."""
            return replace(recipe, serialize=lambda _network: b"mine")

    composition = made.resolve("mine")
    with pytest.warns(FutureWarning):
        changed = composition.apply(tiny.recipe())
    assert frozenset({"deploy", "runtime"}) == composition.slots
    assert b"mine" == served(runtime=changed.runtime).artifact.content
