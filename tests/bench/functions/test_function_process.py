"""`suite time`: which functions are named, what decides, and what a function raises."""

import pytest

from suite.bench.functions import process
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.instructions import InstructionRatio
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.core.errors import UsageError
from suite.measure.counting.instructions import InstructionCount


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fast.py"
    path.write_text("def one():\n    return 1\n\n\ndef bad():\n    raise ValueError('no')\n", "utf-8")
    return path


def result(low=1.9, high=2.1, difference=0.0):
    speed = SpeedRatio(value=2.0, low=low, high=high, rounds=30, confidence=0.99, null=1.0)
    return FunctionTradeoff(speedup=speed, outputs=AnswersApart(difference=difference))


def test_a_function_is_named_by_file_and_name(file):
    """A file is loaded once."""
    assert 1 == process.function(f"{file}:one")()
    assert process.function(f"{file}:one") is process.function(f"{file}:one")


def test_a_name_that_is_none_is_told(file):
    """With the nearest one."""
    with pytest.raises(UsageError, match="did you mean one"):
        process.function(f"{file}:onne")
    with pytest.raises(UsageError, match="names no function of a file"):
        process.function("fast")


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (result(), {}, 0),
        (result(), {"at_least": 1.5}, 0),
        (result(), {"at_least": 3.0}, 1),
        (result(), {"at_least": 2.0}, 10),
        (result(difference=0.1), {"close": 0.01}, 1),
        (result(difference=0.1), {"close": 0.01, "at_least": 2.0}, 1),
    ],
)
def test_the_exit_code_says_what_holds(found, wanted, expected):
    """Outputs that differ are a failure whatever the speed is."""
    assert expected == process.code(found.outputs, found.speedup, **({"at_least": None, "close": None} | wanted))[0]


def test_what_a_function_raises_is_told_with_its_line(file, capsys, monkeypatch):
    """No traceback from within the suite."""
    monkeypatch.setattr(process.quiet, "pin", lambda: None)
    assert 11 == process.main([f"{file}:one", f"{file}:bad", "--seconds", "0.1"])
    assert f"suite: ValueError: no at {file}:6" in capsys.readouterr().err


def test_a_file_that_ends_the_process_is_told(tmp_path, capsys, monkeypatch):
    """`sys.exit(0)` at its end would be a pass that nobody measured."""
    monkeypatch.setattr(process.quiet, "pin", lambda: None)
    path = tmp_path / "ends.py"
    path.write_text("import sys\n\n\ndef f():\n    return 1\n\n\nsys.exit(0)\n", "utf-8")
    assert 11 == process.main([f"{path}:f", f"{path}:f", "--seconds", "0.1", "--at-least", "2"])
    assert f"suite: SystemExit: 0 at {path}:8" in capsys.readouterr().err


def test_each_file_has_the_modules_of_its_own_folder(tmp_path):
    """Two checkouts have files of the same names."""
    for folder, value in (("old", 1.0), ("new", -1.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper.py").write_text(f"VALUE = {value}\n", "utf-8")
        (tmp_path / folder / "fast.py").write_text("import helper\n\n\ndef f():\n    return helper.VALUE\n", "utf-8")
    old, new = (process.function(f"{tmp_path / folder}/fast.py:f") for folder in ("old", "new"))
    assert (1.0, -1.0) == (old(), new())


def test_with_counts_nothing_is_timed_and_fewer_instructions_pass(file, capsys, monkeypatch):
    """What torch dispatches is told where it is loaded and dispatches anything."""
    before, now = (InstructionCount(value=value, functions={"f": value}) for value in (3000, 1000))
    monkeypatch.setattr(process, "counted", lambda *_: InstructionRatio(baseline=before, candidate=now))
    monkeypatch.setattr(process, "compare", None)
    asked = [f"{file}:one", f"{file}:one", "--seconds", "1", "--count"]
    assert 0 == process.main([*asked, "--at-least", "3"])
    assert "instructions 3,000 -> 1,000 (-66.67%); -2,000 f; outputs" in capsys.readouterr().out
    assert 1 == process.main([*asked, "--at-least", "3.1"])
    assert "at least 3.1 times fewer wanted" in capsys.readouterr().out


def test_counted_functions_of_torch_have_their_operators_too(tmp_path, capsys, monkeypatch):
    """With the line of what came."""
    path = tmp_path / "scale.py"
    path.write_text(
        "import torch\n\nX = torch.ones(3)\n\n\ndef old():\n    return X * 2\n\n\n"
        "def new():\n    return (X * 2).clone()\n",
        "utf-8",
    )
    same = InstructionCount(value=1000, functions={})
    monkeypatch.setattr(process, "counted", lambda *_: InstructionRatio(baseline=same, candidate=same))
    assert 0 == process.main([f"{path}:old", f"{path}:new", "--seconds", "1", "--count"])
    said = capsys.readouterr().out
    assert "operators 1 -> 2, +1 aten.clone, at scale.py:11" in said
    assert "instructions 1,000 -> 1,000 (+0.00%); outputs" in said
