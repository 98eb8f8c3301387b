"""A technique is one file: its name stands nowhere else, so that adding, renaming or removing one touches no other."""
# the expected value stands on the left

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import suite
from suite.registry import REGISTRY

ROOT = Path(suite.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
COMPOSITION = re.compile(r"\w+(\(.*\))?(\+\w+(\(.*\))?)*")
ALLOWED = {
    ("core/composition.py", "baseline"): "the composition of nothing has a name",
    ("core/composition.py", "structured_pruning(ratio=0.5)+amp_bf16"): "the example that error messages show",
    ("measure/arms.py", "baseline"): "a timed side, in the samples' columns",
    ("measure/arms.py", "channels_last"): "a timed side; a value of Recipe.layout",
    ("training/onnx_engine.py", "onnxruntime"): "the package",
    ("training/openvino_engine.py", "openvino"): "the package",
    ("training/executorch_engine.py", "executorch"): "the package",
    ("cli/doctor.py", "executorch"): "the package",
    ("cli/doctor.py", "onnxruntime"): "the package",
    ("cli/doctor.py", "openvino"): "the package",
    ("claims/facts/support.py", "onnxruntime"): "the package",
    ("claims/facts/support.py", "openvino"): "the package",
    ("bench/workers/replay.py", "baseline"): "a timed side, in the samples' columns",
    ("training/devices.py", "channels_last"): "a value of Recipe.layout",
    ("training/recipe.py", "channels_last"): "a value of Recipe.layout",
}


def names_in(text: str) -> set[str]:
    """The techniques that a composition's text names; of any other text none."""
    if not COMPOSITION.fullmatch(text):
        return set()
    return {part.partition("(")[0] for part in re.split(r"\+(?![^(]*\))", text)} & REGISTRY.techniques.keys()


def literals(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def declared(tree: ast.AST, *keywords: str) -> set[str]:
    """The literals of these keyword arguments, wherever they are given."""
    given = (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in keywords)
    return {text for keyword in given for text in literals(keyword.value)}


def listed(tree: ast.AST) -> set[str]:
    """The literals of lists that are called so, which several workloads may share."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    lists = (node for node in found if any(ast.unparse(name).lower().endswith("techniques") for name in node.targets))
    return {text for node in lists for text in literals(node.value)}


def excused(file: Path, tree: ast.AST) -> set[str]:
    place = file.relative_to(ROOT).as_posix()
    own = {text for where, text in ALLOWED if where == place}
    if place.startswith(("catalog/techniques/", "catalog/distributed/", "catalog/runtimes/")):
        return own | {file.stem} | declared(tree, "control", "conflicts")
    return own | (declared(tree, "techniques") | listed(tree) if place.startswith("catalog/workloads/") else set())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_other_file_names_a_technique(file):
    """But for controls and conflicts in technique files, and the lists in workload files."""
    tree = ast.parse(file.read_text("utf-8"))
    assert [] == [text for text in literals(tree) if names_in(text) and text not in excused(file, tree)]


@pytest.mark.parametrize(("place", "text"), ALLOWED)
def test_every_exception_is_still_needed(place, text):
    """The list shrinks with the code."""
    assert text in set(literals(ast.parse((ROOT / place).read_text("utf-8"))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("narrow", {"narrow"}),
        ("extra_epochs(epochs={epochs})", {"extra_epochs"}),
        ("amp_bf16+narrow(width=0.5)", {"amp_bf16", "narrow"}),
        ("narrow: width must be in (0, 1]", set()),
        ("speedup_vs_channels_last", set()),
    ],
)
def test_a_name_is_found_in_compositions_and_not_in_sentences(text, expected):
    """The check sees what it is meant to see."""
    assert expected == names_in(text)
