"""ExecuTorch itself: programs for any batch, what they leave to other kernels, files that cannot be served."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import tiny
import torch
from technique_samples import composed
from torch import nn

from suite.core.errors import TechniqueError, UnavailableError, UsageError
from suite.training.artefacts import from_files
from suite.training.executorch_engine import FILE, LARGEST_BATCH, ExecuTorch, installed
from suite.training.executorch_products import read
from suite.training.runtime import Artifact
from suite.training.serving import plainly, predict, serve

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", autouse=True)
def _engine():
    if reason := installed(SimpleNamespace(cell=SimpleNamespace(device="cpu"))):
        pytest.skip(reason)


@pytest.fixture(scope="module")
def network():
    return tiny.fitted().network.eval()


@pytest.fixture(scope="module")
def plain(network):
    return ExecuTorch().export(network, torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize("count", [1, 2, 7, 8, 63, 64, 65, 130])
def test_one_program_serves_every_batch(network, plain, count):
    """Beyond its largest one in parts."""
    inputs = torch.randn(count, 1, 8, 8)
    found = ExecuTorch().load(plain, "cpu").call(inputs)
    assert torch.allclose(network(inputs).detach(), found, atol=1e-5)


def test_a_program_with_convolutions_is_as_large_as_one_without(plain):
    """Torch would bound one that was traced with two items by 15."""
    assert LARGEST_BATCH == read(plain.files[FILE]).items


def test_answers_stay_when_the_next_call_is_made(plain):
    """They are copies, not the engine's own memory."""
    call = ExecuTorch().load(plain, "cpu").call
    first = call(torch.ones(3, 1, 8, 8))
    kept = first.clone()
    call(torch.zeros(3, 1, 8, 8))
    assert torch.equal(kept, first)


def test_the_program_is_all_that_ships_and_8_bits_are_smaller(plain):
    """Weights included."""
    assert {FILE} == set(plain.files)
    network = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256)).eval()
    inputs = torch.randn(64, 256)
    sizes = [
        len(ExecuTorch(precision=precision, calibration=calibration).export(network, inputs[:2]).content)
        for precision, calibration in (("fp32", None), ("int8", lambda: inputs))
    ]
    assert sizes[0] > 2 * 256 * 256 * 4
    assert sizes[1] < sizes[0] / 3


def test_what_no_delegate_took_is_counted_and_named():
    """An embedding is looked up by the engine's own kernel."""
    network = nn.Sequential(nn.Embedding(10, 16), nn.Flatten(), nn.Linear(48, 4)).eval()
    inputs = torch.randint(0, 10, (5, 3))
    found = ExecuTorch()
    predictor = found.load(found.export(network, inputs[:2]), "cpu")
    assert torch.allclose(network(inputs).detach(), predictor.call(inputs), atol=1e-5)
    assert {"fp32 on XNNPACK": 48 * 4} == predictor.executed.macs
    assert "aten::embedding.out" in str(predictor.executed)


def test_a_label_that_the_kernels_contradict_is_an_error(plain):
    """A program in float32 that was to have 8 bits."""
    with pytest.raises(TechniqueError, match=r"mislabelled: executorch was to compute in int8, .* fp32 on XNNPACK"):
        ExecuTorch(precision="int8").load(plain, "cpu")


def test_answers_of_several_tensors_keep_their_form():
    """A dictionary ships its structure beside the program."""

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(3, 2), nn.Linear(3, 4)

        def forward(self, x):
            return {"one": self.one(x), "two": self.two(x)}

    network, inputs = Two().eval(), torch.randn(70, 3)
    found = ExecuTorch().load(ExecuTorch().export(network, inputs[:2]), "cpu").call(inputs)
    assert ["one", "two"] == list(found)
    assert torch.allclose(network(inputs)["two"].detach(), found["two"], atol=1e-5)


@pytest.mark.parametrize("text", ["structured_pruning(ratio=0.5)+executorch_int8", "channels_last+executorch"])
def test_it_serves_what_other_techniques_made(text):
    """A composition is served as the network that was trained answers."""
    trained, inputs = tiny.fitted(composed(text)), tiny.splits(0).test.inputs
    expected = predict(plainly(trained), inputs, batch=16)
    for batch in (1, 16):
        answers = predict(serve(trained), inputs, batch=batch)
        assert float((answers - expected).abs().max() / expected.abs().max()) < 0.3


def test_a_network_that_cannot_be_lowered_is_unavailable_with_the_operator():
    """There is no kernel for its logarithm of gamma."""

    class Gamma(nn.Module):
        def forward(self, x):
            return torch.lgamma(x)

    with pytest.raises(UnavailableError, match="lgamma"):
        ExecuTorch().export(Gamma(), torch.ones(2, 3))


def test_a_program_that_was_made_elsewhere_is_served_by_its_suffix(plain, network, tmp_path):
    """One that is cut short is named."""
    inputs = torch.randn(3, 1, 8, 8)
    (tmp_path / "own.pte").write_bytes(plain.files[FILE])
    runtime = from_files(tmp_path / "own.pte")
    predictor = runtime.load(Artifact(write=runtime.files), "cpu")
    assert torch.allclose(network(inputs).detach(), predictor.call(inputs), atol=1e-5)
    (tmp_path / "cut.pte").write_bytes(plain.files[FILE][:300])
    cut = from_files(tmp_path / "cut.pte")
    with pytest.raises(UsageError, match=r"cut.pte cannot be opened"):
        cut.load(Artifact(write=cut.files), "cpu")
