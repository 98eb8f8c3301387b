"""`suite time`: which functions are named, what decides, and what a function raises."""

import signal
import time

import pytest

from suite.bench import integrity
from suite.bench.exit_code import told_code
from suite.bench.functions import anew, comparing, process
from suite.bench.functions.answers import AnswersApart
from suite.bench.functions.instructions import InstructionRatio
from suite.bench.functions.result import FunctionTradeoff, SpeedRatio
from suite.bench.options import ENDED
from suite.measure.counting.instructions import InstructionCount
from suite.measure.sampler import options


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Several threads are not pinned to a core; other tests replace constants that a run remembers."""
    monkeypatch.setenv("SUITE_THREADS", "2")
    monkeypatch.setattr(integrity, "_constants", {})
    monkeypatch.setattr(integrity, "_records", {})


@pytest.fixture
def replaced(monkeypatch):
    """The test replaces functions of the suite, which is an error otherwise."""
    monkeypatch.setattr(process, "check_suite", lambda: None)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "fast.py"
    path.write_text("def one():\n    return 1\n\n\ndef bad():\n    raise ValueError('no')\n", "utf-8")
    return path


def result(low=1.9, high=2.1, difference=0.0):
    speed = SpeedRatio(value=2.0, low=low, high=high, rounds=30, confidence=0.99, null=1.0)
    return FunctionTradeoff(speedup=speed, outputs=AnswersApart(difference=difference))


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


def test_what_a_function_raises_is_told_with_its_line(file, capsys):
    """No traceback from within the suite."""
    assert 11 == process.main([f"{file}:one", f"{file}:bad", "--seconds", "0.1"])
    assert f"suite: ValueError: no at {file}:6" in capsys.readouterr().err


def test_a_file_that_ends_the_process_is_told(tmp_path, capsys):
    """`sys.exit(0)` at its end would be a pass that nobody measured."""
    path = tmp_path / "ends.py"
    path.write_text("import sys\n\n\ndef f():\n    return 1\n\n\nsys.exit(0)\n", "utf-8")
    assert 11 == process.main([f"{path}:f", f"{path}:f", "--seconds", "0.1", "--at-least", "2"])
    assert f"suite: SystemExit: 0 at {path}:8" in capsys.readouterr().err


@pytest.mark.usefixtures("replaced")
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


@pytest.mark.usefixtures("replaced")
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


def asked(path, *more, name="f"):
    return [f"{path}:{name}", f"{path}:{name}", "--seconds", "0.01", *more]


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (
            "import suite.bench.functions.process as p\np.code = lambda *_, **__: (0, [])",
            "process.code has been replaced",
        ),
        (
            "from suite.measure.sampler.options import SYSTEM_CLOCK as c\nobject.__setattr__(c, 'clock', int)",
            "SYSTEM_CLOCK.clock has been replaced",
        ),
        (
            "import suite.bench.functions.comparing as c\nc.perf_counter = c.monotonic",
            "comparing.perf_counter has been",
        ),
        ("import time\ntime.perf_counter = time.thread_time", "time.perf_counter has been replaced"),
        ("import suite.bench.functions.anew as a\na.AS_BEFORE = 1e9", "anew.AS_BEFORE has been replaced"),
    ],
)
def test_a_file_that_replaces_what_measures_or_decides_decides_nothing(tmp_path, capsys, attack, told):
    """It is told at once, and the exit code is an error's."""
    path, kept = tmp_path / "attack.py", (process.code, comparing.perf_counter, time.perf_counter, anew.AS_BEFORE)
    path.write_text(f"{attack}\n\n\ndef f():\n    return 1\n", "utf-8")
    try:
        assert 11 == process.main(asked(path, "--at-least", "1"))
    finally:
        process.code, comparing.perf_counter, time.perf_counter, anew.AS_BEFORE = kept
        object.__setattr__(options.SYSTEM_CLOCK, "clock", time.perf_counter)
    assert told in capsys.readouterr().err


def test_a_file_that_does_not_parse_is_told_with_its_line(tmp_path, capsys):
    """It was not called at all."""
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n", "utf-8")
    assert 11 == process.main(asked(path))
    assert f"suite: SyntaxError: invalid syntax at {path}:1\n" == capsys.readouterr().err


def test_a_function_with_arguments_is_told_how_it_is_called(tmp_path, capsys):
    """Its own code was not entered."""
    path = tmp_path / "takes.py"
    path.write_text("def f(x):\n    return x\n", "utf-8")
    assert 11 == process.main(asked(path))
    assert "argument: 'x' (it is called without arguments)" in capsys.readouterr().err


def test_the_exit_code_is_handed_over_and_the_file_for_it_is_hidden(tmp_path, monkeypatch):
    """A user's code that ends the process cannot write it by accident."""
    told, path = tmp_path / "told", tmp_path / "looks.py"
    path.write_text(
        "import os\nassert 'SUITE_ENDED' not in os.environ\n\n\ndef f():\n    raise KeyboardInterrupt\n", "utf-8"
    )
    monkeypatch.setenv(ENDED, str(told))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        process.run(asked(path))
    signal.signal(signal.SIGTERM, before)
    assert (2, 2) == (ended.value.code, told_code(told))
