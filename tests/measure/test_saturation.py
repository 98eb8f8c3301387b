"""The search for the batch that saturates a device, with throughputs that are functions of the batch."""
# the expected value stands on the left

import pytest
import torch

from suite.measure import saturation


def searching(monkeypatch, rate, error=None, limit=None):
    """Search with a throughput that is a function of the batch and an error beyond a limit."""
    tried = []

    def throughput(_side, batch):
        tried.append(batch)
        if limit is not None and batch > limit:
            raise error
        return rate(batch)

    monkeypatch.setattr(saturation, "_throughput_of", throughput)
    monkeypatch.setattr(saturation, "_fits", lambda _side, _batch: True)
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)
    return saturation.saturating_batch(None, 64), tried


def test_the_batch_doubles_while_throughput_grows(monkeypatch):
    """The last one that brought 5 % more is taken."""
    assert (256, [64, 128, 256, 512]) == searching(monkeypatch, lambda batch: min(batch, 256))


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("out of memory"), RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"), RuntimeError()],
    ids=["memory", "cudnn", "index"],
)
def test_a_batch_that_the_device_refuses_ends_the_search(monkeypatch, error):
    """Whatever it says: half of what fits is taken, since two networks are timed side by side."""
    assert 128 == searching(monkeypatch, lambda batch: batch, error, 256)[0]
    assert 64 == searching(monkeypatch, lambda batch: batch, error, 64)[0]


def test_the_search_ends_at_the_largest_batch(monkeypatch):
    """Something that never saturates is no reason to go on for ever."""
    assert saturation.LARGEST_BATCH == searching(monkeypatch, lambda batch: batch)[0]
