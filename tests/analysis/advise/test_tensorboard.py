"""TensorBoard's files, where it is installed; one sentence where it is not."""
# the expected value stands on the left

import importlib.util

import pytest
from planted import CEILINGS
from recorded import recording

from suite.analysis.advise import tensorboard
from suite.analysis.profile import tools
from suite.analysis.profile.bottleneck import analyse
from suite.core.errors import SetupError, UsageError

HERE = importlib.util.find_spec("tensorboard") is not None
needs_tensorboard = pytest.mark.skipif(not HERE, reason="tensorboard is not installed")


def missing(name):
    raise ImportError(name)


def test_without_tensorboard_both_ways_say_what_to_install(monkeypatch, tmp_path):
    """Reading and writing."""
    monkeypatch.setattr(tools.importlib, "import_module", missing)
    for ask in (tensorboard.require, lambda: tensorboard.read(tmp_path, "accuracy")):
        with pytest.raises(SetupError, match="tensorboard is not installed; install it: pip install tensorboard"):
            ask()


@needs_tensorboard
@pytest.mark.filterwarnings("ignore")
def test_what_is_written_is_read_again(tmp_path):
    """Shares of a step as scalars, and the trace beside them."""
    (tmp_path / "trace.json").write_text("{}", "utf-8")
    tensorboard.write(tmp_path / "runs", analyse(recording(data=9, compute=1), CEILINGS), tmp_path / "trace.json")
    steps, values = tensorboard.read(tmp_path / "runs", "share/data")
    assert [0.0] == steps
    assert pytest.approx([0.9]) == values
    assert (tmp_path / "runs" / "suite.pt.trace.json").exists()


@needs_tensorboard
@pytest.mark.filterwarnings("ignore")
def test_a_tag_or_folder_that_is_not_there_is_named(tmp_path):
    """With what there is."""
    with pytest.raises(UsageError, match="it holds no events"):
        tensorboard.read(tmp_path, "accuracy")
    with pytest.raises(UsageError, match="there is no folder"):
        tensorboard.read(tmp_path / "none", "accuracy")
