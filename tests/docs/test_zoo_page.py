"""What the page on workloads says of torchvision's networks holds."""
# the expected value stands on the left

import re
from pathlib import Path

from suite.cli.main import main
from suite.registry import REGISTRY

PAGE = (Path(__file__).parents[2] / "docs" / "workloads.md").read_text("utf-8")
SECTION = PAGE.partition("## Networks of torchvision's\n")[2].partition("\n## ")[0]


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", SECTION, re.DOTALL)[1]


def test_the_table_is_what_the_command_prints(capsys):
    """Counts without weights are the same everywhere."""
    command, *table = block("console").splitlines()
    assert 0 == main(command.removeprefix("$ suite ").split())
    assert table == capsys.readouterr().out.splitlines()


def test_a_network_of_ones_own_choice_is_a_function(monkeypatch):
    """The example declares it, and it has the images and the network that it names."""
    monkeypatch.setattr(REGISTRY, "_workloads", dict(REGISTRY.workloads))
    exec(block("python"), {})  # noqa: S102  # the page's own example
    recipe = REGISTRY.find_workload("zoo_resnet18").recipe(0)
    assert (3, 224, 224) == tuple(recipe.data().train.inputs.shape[1:])
    assert "ResNet" == type(recipe.model()).__name__


def test_all_declared_networks_are_named():
    """By name is the only way to them."""
    declared = {
        name for name, found in REGISTRY.workloads.items() if found.recipe.__module__ == "suite.catalog.workloads.zoo"
    }
    assert declared <= set(re.findall(r"`(zoo_\w+)`", SECTION))
