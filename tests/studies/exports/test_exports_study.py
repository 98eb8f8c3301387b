"""The study of exports: what is compared, and that a file goes on where it was."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from studies.exports import __main__ as command
from studies.exports import measure
from studies.exports.measure import Answered, answered, relative_error


def test_the_error_is_relative_to_the_size_of_the_answers():
    """Of an answer of zeros nothing can be said."""
    expected = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    assert pytest.approx(0.1) == relative_error(expected + torch.tensor([[0.5, 0.0], [0.0, 0.0]]), expected)
    assert float("inf") == relative_error(torch.ones(2, 2), torch.zeros(2, 2))


def test_an_engine_that_refuses_a_network_is_a_row_with_its_words(monkeypatch):
    """The others go on."""

    class Refuses:
        def export(self, _network, _example):
            raise RuntimeError("no operator for it\nat line 3")

        load = export

    monkeypatch.setitem(measure.ENGINES, "engine", Refuses)
    found = answered("net", "engine", 8, nn.Flatten(), torch.ones(2, 3, 8, 8))
    expected = Answered(network="net", engine="engine", pixels=8, failure="RuntimeError: no operator for it")
    assert expected == found


def test_a_file_that_was_stopped_goes_on_where_it_was(tmp_path):
    """One row per network and engine, below one line of titles."""
    file = tmp_path / "exports.csv"
    assert set() == command.done(file)
    command.append(file, Answered(network="a", engine="one", pixels=64, error=0.1, agreement=1.0))
    command.append(file, Answered(network="a", engine="two", pixels=64, failure="no, not here"))
    assert {("a", "one"), ("a", "two")} == command.done(file)
    assert "network,engine,pixels,error,agreement,varies,failure" == file.read_text("utf-8").splitlines()[0]
