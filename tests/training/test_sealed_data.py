"""The test part of data: sealed for the whole process while something is trained, and as usual before and after."""
# the expected value stands on the left

import copy
import pickle
import threading
from dataclasses import replace

import pytest
import tiny
import torch

from suite.core.errors import TechniqueError
from suite.training import data
from suite.training.data import Split, Splits, opened
from suite.training.serving import predict, serve, warm_up

sealed, unsealed = data.test_sealed, data.test_open  # by names that are no tests
SEALED = "training reads the test part of the data"


@pytest.fixture
def splits():
    return tiny.splits(0)


def in_thread(action):
    found = []

    def work():
        try:
            found.append(action())
        except TechniqueError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def unpickled(content):
    return pickle.loads(content)  # noqa: S301  # just pickled here


def read(splits):
    return splits.test.inputs


def by_attribute(splits):
    return object.__getattribute__(splits, "test").inputs


def by_dictionary(splits):
    return vars(splits)["test"].inputs


def by_copy(splits):
    return copy.deepcopy(splits).test.inputs


def by_replacement(splits):
    return Splits(train=splits.test, test=splits.test).train.inputs


@pytest.mark.parametrize("way", [read, by_attribute, by_dictionary, by_copy, by_replacement])
def test_no_way_of_reading_leads_around_the_seal(splits, way):
    with pytest.raises(TechniqueError, match=SEALED), sealed("training"):
        way(splits)
    assert torch.equal(tiny.splits(0).test.inputs, way(splits))


def test_what_stands_for_a_sealed_part_does_not_hold_it(splits):
    with sealed("training"):
        assert {} == vars(splits.test)
        assert 16 == len(splits.test)
    assert isinstance(splits.test, Split)


def test_a_thread_is_sealed_too(splits):
    """It begins with no context of its own; its error is raised where the seal ends."""
    with pytest.raises(TechniqueError, match=SEALED), sealed("training"):
        assert isinstance(in_thread(lambda: read(splits)), TechniqueError)
    assert torch.equal(splits.test.inputs, in_thread(lambda: read(splits)))


def test_an_error_that_is_caught_is_raised_at_the_end(splits):
    with pytest.raises(TechniqueError, match=SEALED), sealed("training"), pytest.raises(TechniqueError):
        read(splits)
    with sealed("training"):
        pass  # it is told once


def test_one_thread_may_read_while_others_may_not(splits):
    """What loads data of a teacher reads; what trains inside of that is sealed again."""
    with sealed("training"), unsealed():
        assert 16 == len(read(splits))
    with pytest.raises(TechniqueError, match=SEALED), sealed("training"), unsealed():
        assert isinstance(in_thread(lambda: read(splits)), TechniqueError)
    with pytest.raises(TechniqueError, match="tuning reads"), unsealed(), sealed("tuning"):
        read(splits)


def test_a_function_that_loads_may_read(splits):
    """It reads the test part of other data to make its own; whoever asks for these may not."""
    load = opened(lambda: replace(splits, test=replace(splits.test, inputs=splits.test.inputs + 1)))
    with sealed("training"):
        made = load()
        assert 32 == len(made.train)
    with pytest.raises(TechniqueError, match=SEALED), sealed("training"):
        read(made)
    assert torch.equal(splits.test.inputs + 1, made.test.inputs)


def test_data_that_are_pickled_arrive_with_their_test_part_unless_it_is_sealed(splits):
    assert torch.equal(splits.test.inputs, unpickled(pickle.dumps(splits)).test.inputs)
    with sealed("training"):
        content = pickle.dumps(splits)
    found = unpickled(content)
    assert torch.equal(splits.train.inputs, found.train.inputs)
    with pytest.raises(TechniqueError, match="received the data while something was trained reads the test part"):
        read(found)


# -- where it is sealed -----------------------------------------------------------------------------------------------


def looking(plain):
    """A slot that reads the training part, then the test part."""

    def look(network, *_):
        assert len(plain.data().train.inputs)
        plain.data().test.targets.sum()
        return network

    return look


def test_a_technique_reads_no_test_data_when_it_changes_the_recipe():
    """Its slots would hold them."""
    registry = tiny.registry()

    @registry.technique(slots=("finish",))
    def early(plain):
        """Read now, train on it later."""
        kept = plain.data().test.inputs
        return replace(plain, finish=lambda network, _: network if len(kept) else None)

    with pytest.raises(TechniqueError, match="technique 'early' reads the test part"):
        registry.resolve("early").apply(tiny.recipe())


def test_a_builder_reads_training_data_and_no_test_data():
    plain = tiny.recipe()
    assert tiny.fitted(replace(plain, model=lambda: tiny.Net(len(plain.data().train.inputs) // 4)))
    with pytest.raises(TechniqueError, match="building the network reads the test part"):
        tiny.fitted(replace(plain, model=lambda: looking(plain)(tiny.Net())))


def test_what_deploys_reads_no_test_data():
    plain = tiny.recipe()
    with pytest.raises(TechniqueError, match="deploying reads the test part"):
        serve(tiny.fitted(replace(plain, deploy=looking(plain))))


@pytest.mark.parametrize("ask", [warm_up, lambda served, inputs: predict(served, inputs, batch=16)])
def test_what_answers_reads_no_test_data(ask):
    """As it could when it is first called."""
    plain = tiny.recipe()
    look = looking(plain)
    served = serve(tiny.fitted(replace(plain, deploy=lambda network: lambda x: look(network(x)))))
    inputs = plain.data().test.inputs
    with pytest.raises(TechniqueError, match="serving reads the test part"):
        ask(served, inputs)


def test_data_of_a_workload_that_are_made_of_others_are_loaded_whoever_asks():
    """A builder that asks for the number of classes loads them while it is sealed."""
    registry = tiny.registry()

    def doubled():
        found = tiny.splits(0)
        return replace(found, test=replace(found.test, inputs=2 * found.test.inputs))

    @registry.workload(source="none")
    def made(_seed):
        """Data of data, kept nowhere."""
        return tiny.recipe(data=doubled, model=lambda: tiny.Net(int(doubled().train.targets.max()) + 1))

    assert tiny.fitted(registry.workloads["made"].plain(0))
