"""Sources of the standard library: parts without a common module, windows, and a digest of what is used."""
# the expected value stands on the left

import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.catalog.workloads import stdlib_text
from suite.catalog.workloads.stdlib_text import TENTHS, WINDOW, as_split, digest_of, drawn, part_of, sources, windows
from suite.core.errors import SetupError

MODULES = {"abc": b"a", "argparse": b"b", "fnmatch": b"c", "heapq": b"d", "calendar": b"e", "glob": b"f"}
COUNTS = {"train": 3, "validation": 2, "test": 2}
KEPT = sorted(sys.stdlib_module_names - {*stdlib_text.TABLES, *stdlib_text.DETACHED})


def fake(root):
    """A library of six modules, each of 3 windows of a letter of its own."""
    for name, letter in MODULES.items():
        (root / f"{name}.py").write_bytes(letter * (3 * WINDOW + 1))
    return root


def test_the_parts_share_no_module_and_miss_none():
    """Each name has one part, which stays: entries for a version of Python rely on it."""
    assert {"train", "validation", "test"} == {part_of(name) for name in KEPT}
    assert ["train", "validation", "test", "test"] == [part_of(name) for name in ("abc", "argparse", "fnmatch", "glob")]
    assert list(range(10)) == sorted(tenth for tenths in TENTHS.values() for tenth in tenths)


def test_the_windows_of_a_part_come_from_its_modules_alone(tmp_path):
    """Every letter is a module's: none is found in two parts."""
    letters = {part: set(rows.flatten().tolist()) for part, rows in drawn(sources(fake(tmp_path)), COUNTS).items()}
    for part, found in letters.items():
        assert found
        assert found <= {text[0] for name, text in MODULES.items() if part_of(name) == part}


def test_a_package_is_one_module_without_its_tests(tmp_path):
    """Everything below it in the order of the paths; what is no module of the library is left out."""
    package = fake(tmp_path) / "json"
    for inner in ("test", "tool", "__pycache__"):
        (package / inner).mkdir(parents=True)
        (package / inner / "x.py").write_bytes(inner.encode())
    (package / "__init__.py").write_bytes(b"first\r\n")
    (tmp_path / "sitecustomize.py").write_bytes(b"mine")
    (tmp_path / "tkinter").mkdir()
    (tmp_path / "tkinter" / "__init__.py").write_bytes(b"elsewhere another package")
    found = sources(tmp_path)
    assert (b"first\n", b"tool") == found["json"]
    assert sorted([*MODULES, "json"]) == sorted(found)


def test_a_library_without_sources_says_what_to_do(tmp_path):
    """Zipped or stripped: one error, with the folder."""
    with pytest.raises(SetupError, match=r"holds sources of 0 modules .* use one with the library's \.py files"):
        sources(tmp_path)
    with pytest.raises(SetupError, match="nowhere"):
        sources(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    """No traceback from inside pathlib."""

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(stdlib_text.Path, "read_bytes", refuse)
    with pytest.raises(SetupError, match=r"cannot read .*\.py of Python's standard library: Permission denied"):
        sources(fake(tmp_path))


@given(st.lists(st.binary(max_size=5 * WINDOW), max_size=4))
def test_windows_stay_in_their_text_and_predict_no_byte_twice(texts):
    """Joined without the byte that they share they are the beginnings of the texts."""
    rows = windows(texts)
    expected = [text[1 : (len(text) - 1) // WINDOW * WINDOW + 1] if text else b"" for text in texts]
    assert b"".join(expected) == bytes(rows[:, 1:].flatten().tolist())
    assert (WINDOW + 1, torch.uint8) == (rows.shape[1], rows.dtype)


def test_targets_are_the_next_bytes():
    """The target at a place is the input at the next one."""
    found = as_split(windows([bytes(range(256)) * 3]))
    assert torch.equal(found.inputs[:, 1:], found.targets[:, :-1])
    assert torch.equal((found.inputs + 1) % 256, found.targets)
    assert torch.int64 == found.inputs.dtype == found.targets.dtype


def test_the_seed_draws_the_windows_without_replacement(tmp_path):
    """The same every time; a part that has fewer gives all."""
    modules = {"abc": (bytes(range(256)) * 8,)}
    first, again, other = (drawn(modules, {"train": 10}, seed)["train"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 3 == len(drawn(sources(fake(tmp_path)), {"validation": 99})["validation"]) // part_sizes("validation")


def part_sizes(part):
    return sum(part_of(name) == part for name in MODULES)


def test_the_digest_follows_every_byte_and_the_part_that_it_is_in():
    """The same bytes have the same digest; one other byte, or another part, has another."""
    rows = torch.zeros(2, WINDOW + 1, dtype=torch.uint8)
    changed = rows.clone()
    changed[1, 5] = 1
    digests = [digest_of({"test": rows}), digest_of({"test": changed}), digest_of({"train": rows})]
    assert digest_of({"test": rows.clone()}) == digests[0]
    assert 3 == len(set(digests))
    assert {16} == set(map(len, digests))
