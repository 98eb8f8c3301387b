"""A cell that fails or cannot run here stops no other cell, and says why."""

from __future__ import annotations

import pandas as pd
import pytest

pytestmark = pytest.mark.system

NO_COMPILER = {"PATH": "/nowhere", "CXX": None}


@pytest.fixture(scope="module")
def failed(tmp_path_factory, measured, bench, calm):
    """A run in which one technique raises in training, one runs out of memory and two are well."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "lab.py").write_text((measured[0] / "lab.py").read_text("utf-8"), "utf-8")
    chosen = [f"--technique={name}" for name in ("baseline", "breaks", "hungry", "doubled")]
    done = bench("--workload=tiny", *chosen, *calm, cwd=folder)
    return done, pd.read_csv(folder / "reports" / "latest" / "results.csv"), folder


@pytest.fixture(scope="module")
def without(tmp_path_factory, measured, bench):
    """A run on a machine without compiler, on a workload that can be learnt and one that cannot."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "lab.py").write_text((measured[0] / "lab.py").read_text("utf-8"), "utf-8")
    chosen = [f"--technique={name}" for name in ("baseline", "taught", "compiled")]
    done = bench(
        "--workload=tiny", "--workload=unlabelled", *chosen, "--partial", "-k", "size", cwd=folder, env=NO_COMPILER
    )
    return done, pd.read_csv(folder / "reports" / "latest" / "results.csv")


def test_a_technique_that_raises_is_an_error_with_its_reason_and_line(failed):
    """The gate fails, and says what was raised where in the user's file."""
    done, _, folder = failed
    text = (folder / "lab.py").read_text("utf-8")
    number = text[: text.index("# BREAKS HERE")].count("\n") + 1
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "ERROR tiny breaks cpu: quality: ValueError: the augmentation has no images left" in done.stdout
    assert f"lab.py:{number}]" in done.stdout


def test_the_other_cells_are_measured_and_the_results_hold_both(failed):
    """An error in one cell costs the run no figure of another one."""
    _, results, _ = failed
    by_technique = {name: set(rows["metric"]) for name, rows in results.groupby("technique")}
    assert {"quality", "size"} == by_technique["breaks"] == by_technique["hungry"]
    assert {"accuracy", "parameters", "artefact_bytes"} <= by_technique["baseline"]
    assert by_technique["baseline"] == by_technique["doubled(factor=2)"]
    assert {"error"} == set(results.loc[results["technique"].isin(["breaks", "hungry"]), "verdict"])
    assert results.loc[results["technique"] == "doubled(factor=2)", "value"].notna().all()


def test_running_out_of_memory_is_called_so(failed):
    """The reason says that memory ran out and what to do, not only what torch raised."""
    done, _, _ = failed
    assert "ERROR tiny hungry cpu: quality: out of memory (OutOfMemoryError: tried to allocate 2.00 TiB)" in done.stdout
    assert "use a smaller workload" in done.stdout


def test_data_that_cannot_be_loaded_are_an_error_of_their_workload_alone(lab, bench):
    """It is told once and not measured; the other workload's cells are, and the run ends with 11."""
    chosen = ("--workload=unreadable", "--workload=tiny", "--technique=baseline", "--partial", "-k", "size")
    done = bench(*chosen, cwd=lab)
    assert 11 == done.returncode, done.stdout + done.stderr
    assert "ValueError: the images are not where they were" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    results = pd.read_csv(lab / "reports" / "latest" / "results.csv").set_index("workload")
    assert {"tiny"} == set(results.index)
    assert results.loc["tiny", "value"].notna().all()


def test_a_cell_whose_need_is_missing_is_unavailable_and_fails_nothing(without):
    """What the workload lacks is told; the run's exit code stays 0."""
    done, results = without
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "unlabelled taught cpu: nothing can be learnt from the data of unlabelled" in done.stdout
    taught = results[results["technique"] == "taught"].set_index("workload")["verdict"]
    assert "unavailable" == taught.loc["unlabelled"]
    assert "unavailable" not in set(taught.loc[["tiny"]])


def test_without_a_compiler_compilation_is_unavailable_with_the_command_that_installs_one(without):
    """Only the cells that compile are left out."""
    done, results = without
    assert "tiny compiled cpu: torch.compile needs a C++ compiler on a CPU" in done.stdout
    assert "apt-get install g++" in done.stdout
    assert {"unavailable"} == set(results.loc[results["technique"] == "compiled", "verdict"])
    assert "unavailable" not in set(results.loc[results["technique"] == "baseline", "verdict"])
