"""`suite zoo` as it is typed."""
# the expected value stands on the left

from dataclasses import replace

import pandas as pd
from zoo_samples import COUNTS

from suite.claims.torchvision import counts
from suite.cli.main import main


def test_a_check_that_agrees_is_exit_code_0(capsys):
    """A line for the network and one for the check."""
    assert 0 == main(["zoo", "--check", "squeezenet1_1"])
    assert "squeezenet1_1" in capsys.readouterr().out.splitlines()[1]


def test_a_check_that_disagrees_is_exit_code_1_and_names_what(monkeypatch, capsys):
    """A counter that has changed."""
    monkeypatch.setattr(counts, "count", lambda *_: replace(COUNTS, macs=349_700_000))
    assert 1 == main(["zoo", "--check", "squeezenet1_1"])
    assert "squeezenet1_1 IMAGENET1K_V1: GMACs 0.349700, published 0.349" == capsys.readouterr().out.splitlines()[-1]


def test_without_a_check_nothing_is_judged(monkeypatch, capsys):
    """The table alone."""
    monkeypatch.setattr(counts, "count", lambda *_: replace(COUNTS, parameters=1))
    assert 0 == main(["zoo", "squeezenet1_1"])
    assert 2 == len(capsys.readouterr().out.splitlines())


def test_a_file_is_written(tmp_path):
    """Beside the printed table."""
    assert 0 == main(["zoo", "squeezenet1_1", "--csv", str(tmp_path / "zoo.csv")])
    assert ["squeezenet1_1"] == list(pd.read_csv(tmp_path / "zoo.csv")["network"])


def test_an_unknown_network_is_one_message(capsys):
    """Exit code for what cannot be used."""
    assert 11 == main(["zoo", "resnet5"])
    assert "suite: unknown network of torchvision's 'resnet5'; did you mean" in capsys.readouterr().err
