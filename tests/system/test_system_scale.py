"""Many cells, composed cells and compiled cells."""

from __future__ import annotations

import re

import pandas as pd
import pytest

pytestmark = pytest.mark.system

TECHNIQUES, WORKLOADS = 124, 8  # and the baseline: 1,000 cells

MANY = f"""
from suite import classification, technique, workload

NAMES = [f"made_{{number:03}}" for number in range({TECHNIQUES})]

for name in NAMES:
    exec(f"def {{name}}(plain, *, share: float = 0.5, epochs: int = 3):\\n    return plain")
    technique(slots=("finish",), runs=False)(globals()[name])

for number in range({WORKLOADS}):
    exec(f"def work_{{number}}(seed):\\n    raise AssertionError('collected only')")
    workload(scores=classification(), techniques=NAMES)(globals()[f"work_{{number}}"])
"""

CLOCK = """
import time

import pytest
import torch  # not part of what is measured


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session):
    began = time.perf_counter()
    result = yield
    print(f"collection took {time.perf_counter() - began:.2f} s")
    return result
"""


def test_a_thousand_cells_are_collected_quickly(bench, lab):
    """Names are resolved once, nothing is trained or built; the loose limit is for busy machines."""
    (lab / "lab.py").write_text(MANY, "utf-8")
    (lab / "conftest.py").write_text(CLOCK, "utf-8")
    chosen = [f"--workload=work_{number}" for number in range(WORKLOADS)]
    done = bench(*chosen, "--collect-only", "-s", cwd=lab)
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr
    for group in ("quality", "size", "speed", "memory"):
        assert 1000 == done.stdout.count(f"test_{group}[")
    found = re.search(r"collection took ([\d.]+) s", done.stdout)
    assert found, done.stdout[-2000:]
    print(found[0])  # noqa: T201  # the figure itself, for `pytest -s` or -rP
    assert 6 > float(found[1])
    assert not (lab / "reports").exists()


def test_a_composed_built_in_cell_is_collected_under_its_canonical_name(suite, tmp_path):
    """Parameters that were not given are spelled out; collecting opens no results folder."""
    arguments = ("--workload=digits_cnn", "--technique=structured_pruning(ratio=0.5)+amp_bf16", "--collect-only")
    done = suite("bench", "--device=cpu", *arguments, cwd=tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert 4 == done.stdout.count("[digits_cnn-structured_pruning(ratio=0.5,epochs=5)+amp_bf16-cpu]")
    assert not (tmp_path / "reports").exists()


def test_compiled_and_int8_cells_are_served_by_the_real_compiler(bench, lab):
    """TorchInductor and PT2E bring a speed-up, whatever it is, for both cells."""
    chosen = ("--workload=tiny", "--technique=compiled", "--technique=static_int8")
    done = bench(*chosen, "--expect=report", cwd=lab, timeout=400)
    assert 0 == done.returncode, done.stdout + done.stderr
    table = pd.read_csv(lab / "reports" / "latest" / "tradeoffs.csv").set_index("technique")
    if {"unavailable"} == set(table["verdict"]):
        pytest.skip(done.stdout.partition("compiled cpu: ")[2].partition("\n")[0])
    assert {"compiled", "static_int8"} == set(table.index)
    assert (table["speedup"] > 0).all()
    assert table["accuracy"].notna().all()
