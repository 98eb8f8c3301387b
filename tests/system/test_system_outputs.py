"""What a run leaves behind can be read by the tools that people have, and the small commands say what they should."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from suite.core.metrics import is_paired
from suite.report import frames, tradeoffs

pytestmark = pytest.mark.system


def test_benchmark_json_holds_the_raw_samples_and_is_read_by_pytest_benchmark(measured, python, records):
    """The statistics that pytest-benchmark stores are those of the run's Parquet samples; `compare` reads the file."""
    folder, _ = measured
    stored = json.loads((folder / "bench.json").read_text("utf-8"))["benchmarks"]
    assert {"baseline", "doubled(factor=2)"} == {one["extra_info"]["technique"] for one in stored}

    kept = {
        one["cell"]["technique"]: one["samples"]
        for one in records(folder / "reports" / "latest" / "results.jsonl", "measurement")
        if one["metric"] == "speedup"
    }
    for one in stored:
        samples = pd.read_parquet(
            folder / "reports" / "latest" / "raw" / f"{kept[one['extra_info']['technique']]}.parquet"
        )
        seconds = samples.loc[samples["series"] == "seconds_technique", "value"]
        assert pytest.approx(seconds.median(), rel=1e-9) == one["stats"]["median"]
        assert len(seconds) == one["stats"]["rounds"]

    compared = python("-m", "pytest_benchmark", "compare", str(folder / "bench.json"), cwd=folder)
    assert 0 == compared.returncode, compared.stdout + compared.stderr
    assert "test_speed[tiny-doubled(factor=2)-cpu]" in compared.stdout


def test_the_tables_load_with_their_documented_columns(measured):
    """results.csv has a row for each cell and metric, tradeoffs.csv one for each cell."""
    folder, _ = measured
    results = pd.read_csv(folder / "reports" / "latest" / "results.csv")
    table = pd.read_csv(folder / "reports" / "latest" / "tradeoffs.csv")
    assert list(frames.COLUMNS) == list(results.columns)
    assert list(tradeoffs.columns(["accuracy"])) == list(table.columns)
    assert ["baseline", "doubled(factor=2)"] == list(table["technique"])
    assert not results.duplicated(["workload", "technique", "device", "metric"]).any()
    assert results["value"].notna().all()
    assert table[["accuracy", "speedup", "train_step_speedup", "artefact_bytes"]].notna().all(axis=None)


def test_the_run_leaves_its_page_and_says_where(measured):
    """With the technique's family, which the run knows and a reader of the records does not."""
    folder, done = measured
    page = folder / "reports" / "latest" / "index.html"
    assert "<h2" in page.read_text("utf-8")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("page: "))
    assert line.endswith("index.html")
    header = json.loads((page.parent / "results.jsonl").read_text("utf-8").splitlines()[0])
    assert {"doubled": "other"} == header["families"]
    assert [] == header["runtimes"]


def test_every_paired_timing_names_samples_that_exist(measured, records):
    """A reader of the records finds the raw values beside them."""
    latest = measured[0] / "reports" / "latest"
    paired = [one for one in records(latest / "results.jsonl", "measurement") if is_paired(one["metric"])]
    assert paired
    assert all((latest / "raw" / f"{one['samples']}.parquet").is_file() for one in paired)


def test_report_writes_and_prints_the_tables_of_the_latest_run(measured, suite, tmp_path):
    """Tables that were lost come back from the records, and their paths are printed."""
    shutil.copytree(measured[0] / "reports", tmp_path / "reports", symlinks=True)
    for name in ("results.csv", "tradeoffs.csv", "tradeoffs.md"):
        (tmp_path / "reports" / "latest" / name).unlink()
    done = suite("report", cwd=tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "# Trade-offs of " in done.stdout
    assert "doubled(factor=2)" in done.stdout
    for name in ("results.csv", "tradeoffs.csv", "tradeoffs.md"):
        assert name in done.stdout
        assert (measured[0] / "reports" / "latest" / name).read_bytes() == (
            tmp_path / "reports" / "latest" / name
        ).read_bytes()


def test_report_without_runs_says_what_to_run(suite, tmp_path):
    """Exit code 11 and one sentence."""
    done = suite("report", cwd=tmp_path)
    assert 11 == done.returncode
    assert "run `suite bench` first" in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_list_names_workloads_techniques_metrics_and_expectations(measured, suite):
    """One line for each thing; techniques are spelled with their defaults, expectations with file and line."""
    folder, _ = measured
    listed = suite("list", "--load=lab.py", cwd=folder)
    assert 0 == listed.returncode, listed.stderr
    for text in ("digits_cnn", "tiny", "structured_pruning(ratio=0.5,epochs=5)", "doubled(factor=2)"):
        assert any(line.strip().startswith(text) for line in listed.stdout.splitlines()), text
    assert "speedup" in suite("list", "metrics", cwd=folder).stdout
    expectations = suite("list", "expectations", cwd=folder)
    assert "any tiny baseline parameters = " in expectations.stdout
    assert "/any/tiny.toml:" in expectations.stdout


def test_github_is_told_on_its_summary_and_on_the_bounds_line_and_junit_keeps_the_figures(recorded, suite, calm):
    """A tiny network that became larger: one error on the entry's line, the table in the summary, properties kept."""
    entries = recorded / "expectations" / "any" / "tiny.toml"
    text = entries.read_text("utf-8")
    line = text.splitlines().index('["baseline".parameters]') + 1
    parameters = next(row for row in text.splitlines()[line:] if row.startswith("value = ")).removeprefix("value = ")
    before, after = text.split('["baseline".parameters]')
    entries.write_text(before + '["baseline".parameters]' + after.replace(f" {parameters}\n", " 7\n", 3), "utf-8")
    summary, junit = recorded / "summary.md", recorded / "junit.xml"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(recorded)}
    command = ("bench", "--workload", "tiny", "--technique", "baseline", "--load", "lab.py", "--quick")
    done = suite(*command, *calm, f"--junitxml={junit}", cwd=recorded, env=env)
    assert 1 == done.returncode, done.stdout
    assert f"::error file=expectations/any/tiny.toml,line={line},title=regressed parameters::" in done.stdout
    assert "| regressed | tiny baseline cpu | parameters |" in summary.read_text("utf-8")
    assert '<property name="parameters.verdict" value="regressed"' in junit.read_text("utf-8")


def test_scores_of_every_workload_are_known_to_lint_and_list(recorded, suite):
    """An entry of a workload that nothing else has asked for is read like any other."""
    bounds = 'value = 0.9\nlow = 0.8\nunit = "1"\nbetter = "higher"\ntier = "portable"\n'
    entry = f'schema = 1\n["baseline".parity_accuracy]\n{bounds}'
    (recorded / "expectations" / "any" / "digits_multitask.toml").write_text(entry, "utf-8")
    for command in (("lint",), ("list", "expectations"), ("record", "--trim")):
        done = suite(*command, cwd=recorded)
        assert 0 == done.returncode, done.stderr


def test_lint_counts_good_entries_and_names_the_line_of_a_bad_one(recorded, suite):
    """Exit code 0 with a count, 11 with file and line, 1 where there is no folder."""
    good = suite("lint", cwd=recorded)
    assert 0 == good.returncode, good.stderr
    assert "expectations in expectations can be used" in good.stdout
    assert not good.stdout.startswith("0 ")

    (recorded / "expectations" / "any" / "tiny.toml").write_text("schema = 1\n[tables.are]\nnothing\n", "utf-8")
    bad = suite("lint", cwd=recorded)
    assert 11 == bad.returncode
    assert "expectations/any/tiny.toml:3: is not valid TOML" in bad.stderr

    missing = suite("lint", "elsewhere", cwd=recorded)
    assert 1 == missing.returncode
    assert "there is no folder elsewhere" in missing.stderr


def test_an_orphaned_entry_is_listed_by_lint_and_removed_by_trim_alone(recorded, suite):
    """A technique that is gone: lint says where and passes, trim takes the entry out and says so, lint is quiet."""
    path = recorded / "expectations" / "any" / "digits_cnn.toml"
    entry = '\n["gone".macs]\nvalue = 1\nhigh = 1\nunit = "1"\nbetter = "lower"\ntier = "exact"\n'
    before = "schema = 1\n" + entry.replace("gone", "baseline")
    path.write_text(before + entry, "utf-8")
    linted = suite("lint", cwd=recorded)
    assert 0 == linted.returncode, linted.stderr
    assert "orphaned: no technique 'gone' is known" in linted.stdout
    trimmed = suite("record", "--trim", cwd=recorded)
    assert "1 entries removed" in trimmed.stdout, trimmed.stderr
    assert before.rstrip() == path.read_text("utf-8").rstrip()
    assert "orphaned" not in suite("lint", cwd=recorded).stdout
    assert 11 == suite("record", cwd=recorded).returncode


def test_doctor_tells_what_the_machine_is_and_has(suite, tmp_path):
    """Keys, versions, needs and ceilings, and that this is no quiet process."""
    done = suite("doctor", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    said = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert {"device", "machine", "family", "versions", "compiler", "bf16", "ceiling", "quiet"} <= said
    assert "GFLOP/s" in done.stdout
    assert "start it with `suite bench`" in done.stdout


def test_version_and_help_are_printed_without_importing_torch(suite, python, tmp_path):
    """The command line starts at once; only what measures loads torch."""
    assert suite("--version", cwd=tmp_path).stdout.strip()
    assert "bench" in suite("--help", cwd=tmp_path).stdout
    checked = python("-P", "-c", "import sys, suite.cli.main; print('torch' in sys.modules)", cwd=tmp_path)
    assert "False" == checked.stdout.strip(), checked.stderr


def test_unknown_arguments_of_other_commands_are_refused(suite, tmp_path):
    """Only `bench` hands further arguments on."""
    done = suite("report", "--no-such-option", cwd=tmp_path)
    assert done.returncode
    assert "--no-such-option" in done.stderr
    assert "Traceback" not in done.stderr
