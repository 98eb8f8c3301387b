"""`suite advise` and `suite profile` as they are typed."""
# the expected value stands on the left

import json
import sys

import curves
import planted
import pytest
import tiny

from suite.analysis.profile import profiling
from suite.analysis.profile.profiling import SECONDS
from suite.analysis.profile.worker import ProfileRequest
from suite.cli import advise
from suite.cli.main import main
from suite.core.transport import from_line

TABLE = "amount,score,fit\n" + "".join(
    f"{size:g},{score},{score + 0.02}\n" for size, score in zip(curves.SIZES, curves.RISING, strict=True)
)


@pytest.fixture
def table(tmp_path):
    """A rising curve."""
    (tmp_path / "points.csv").write_text(TABLE, "utf-8")
    return tmp_path / "points.csv"


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The tiny workload, ceilings of no machine, and a folder to write to."""
    monkeypatch.chdir(tmp_path)
    made = tiny.registry()
    monkeypatch.setattr(advise, "REGISTRY", made)
    monkeypatch.setattr(profiling, "ceilings", lambda _device: planted.CEILINGS)
    return tmp_path


def test_advice_is_printed_and_written(table, tmp_path, capsys):
    """Exit code 0."""
    assert 0 == main(["advise", "--csv", str(table), "--train=fit", "--json", str(tmp_path / "advice.json")])
    assert "add resources: a doubling gains over 0.01" in capsys.readouterr().out
    assert json.loads((tmp_path / "advice.json").read_text("utf-8"))["headline"].startswith("add resources")


def test_a_fault_of_the_table_is_one_message(table, capsys):
    """Exit code for what cannot be used, and no traceback."""
    table.write_text(TABLE + "7,many,1\n", "utf-8")
    assert 11 == main(["advise", "--csv", str(table)])
    assert f"suite: {table}:11: column 'score' holds 'many'" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["--csv=a.csv", "--tensorboard=runs"]])
def test_one_source_is_needed(given, capsys):
    """Not none and not two."""
    assert 11 == main(["advise", *given])
    assert "give the learning curve as --csv FILE or as --tensorboard FOLDER --tag TAG" in capsys.readouterr().err


def test_event_files_need_a_tag(tmp_path, capsys):
    """A folder holds many scalars."""
    assert 11 == main(["advise", "--tensorboard", str(tmp_path)])
    assert "--tensorboard needs --tag" in capsys.readouterr().err


@pytest.mark.system
def test_a_cell_is_profiled_with_torch(small, capsys):
    """Verdict, table, trace and figures."""
    assert 0 == main(["profile", "halves-baseline-cpu", "--out=out"])
    said = capsys.readouterr().out
    assert "halves-baseline-cpu inference: " in said
    assert "aten::convolution" in said
    found = json.loads((small / "out" / "bottleneck.json").read_text("utf-8"))
    assert pytest.approx(1) == sum(found["shares"].values())
    assert (small / "out" / "trace.json").stat().st_size > 0


@pytest.mark.usefixtures("small")
def test_a_cell_can_be_given_by_its_parts_and_its_bottleneck_joins_the_advice(table, capsys):
    """Profile and curve together."""
    assert 0 == main(["advise", "--csv", str(table), "--workload=halves", "--device=cpu", "--what=inference"])
    assert "fix the bottleneck: " in capsys.readouterr().out


@pytest.mark.usefixtures("small")
def test_tensorboard_goes_with_torch_alone(capsys):
    """The other tools write files of their own."""
    assert 11 == main(["profile", "halves-baseline-cpu", "--tool=nsys", "--tensorboard=runs"])
    assert "--tensorboard goes with --tool torch" in capsys.readouterr().err


@pytest.mark.parametrize(("tool", "where"), [("py-spy", "pip install py-spy"), ("nsys", "developer.nvidia.com")])
def test_a_missing_program_is_one_sentence(tool, where, small, monkeypatch, capsys):
    """Nothing is installed for anyone."""
    monkeypatch.setenv("PATH", str(small))
    assert 11 == main(["profile", "halves-baseline-cpu", f"--tool={tool}"])
    said = capsys.readouterr().err
    assert f"suite: {tool} is not on the PATH" in said
    assert where in said


PROGRAM = """#!{python} -S
import sys
path = next(a for b, a in zip(sys.argv, sys.argv[1:] + [""]) if b == "--output") if "--output" in sys.argv else ""
path = path or next(a for a in sys.argv if a.startswith("--output=")).partition("=")[2] + ".nsys-rep"
open(path, "w").write(" ".join(sys.argv[1:]))
"""


@pytest.mark.parametrize(("tool", "file"), [("py-spy", "profile.svg"), ("nsys", "profile.nsys-rep")])
def test_a_program_runs_the_cell_in_a_process_of_its_own(tool, file, small, monkeypatch, capsys):
    """With its own options, and the file that it wrote is named."""
    program = small / tool
    program.write_text(PROGRAM.format(python=sys.executable), "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(small))
    assert 0 == main(["profile", "halves-baseline-cpu", f"--tool={tool}", "--out=out"])
    assert str(small / "out" / file).endswith(capsys.readouterr().out.strip())
    _, _, request = (small / "out" / file).read_text("utf-8").partition("-m suite.analysis.profile.worker ")
    expected = ProfileRequest(cell="halves-baseline-cpu", what="inference", seconds=SECONDS)
    assert expected == from_line(request, ProfileRequest)


def test_a_program_that_fails_is_quoted(small, monkeypatch, capsys):
    """Its last line and its exit code."""
    program = small / "py-spy"
    program.write_text("#!/bin/sh\necho first >&2; echo Permission denied >&2; exit 3\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{small}:/bin")
    assert 11 == main(["profile", "halves-baseline-cpu", "--tool=py-spy"])
    assert "suite: py-spy ended with 3: Permission denied" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_sentence(small, capsys):
    """A file is in its way."""
    (small / "out").write_text("", "utf-8")
    assert 11 == main(["profile", "halves-baseline-cpu", "--out=out/deep"])
    assert "cannot write to out/deep" in capsys.readouterr().err
