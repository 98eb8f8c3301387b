"""README.md is short, and its figures, its model and its output are real."""
# the expected value stands on the left

import importlib.util
import re
import shutil
import tomllib

import pandas as pd
import pytest
from doc_pages import BLOCKS, PAGES, ROOT

PAGE = PAGES["README.md"]
MOST_LINES, MOST_WORDS = 110, 900
MODEL, CONSOLE = (
    next(block.text for block in BLOCKS if (block.page, block.kind) == ("README.md", kind))
    for kind in ("python own_model", "console")
)
MACHINE = "cpu-x86_64-amd-epyc-f25m17-2c"


def rows(heading):
    """The cells of the table below a heading, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_is_short():
    """A reader sees the whole of it."""
    assert len(PAGE.splitlines()) <= MOST_LINES
    assert len(PAGE.partition("## Documentation")[0].split()) <= MOST_WORDS


def test_the_first_commands_are_the_ones_that_ci_uses():
    """In one line each, to be copied."""
    assert "python3 -m venv .venv && .venv/bin/pip install nox uv && .venv/bin/nox -s bench -- --quick " in PAGE
    assert "\n.venv/bin/nox -s tests " in PAGE


def test_results_are_the_stored_expectations():
    """To the digits that are shown."""
    anywhere, here = (
        tomllib.loads((ROOT / "expectations" / level / "digits_cnn.toml").read_text("utf-8"))
        for level in ("any", MACHINE)
    )
    shown = rows("Results")
    assert 5 == len(shown)
    for technique, accuracy, artefact, speedup, bound in shown:
        assert accuracy == f"{100 * anywhere[technique]['accuracy']['value']:.2f} %"
        assert artefact == f"{anywhere[technique]['artefact_bytes']['value'] / 1000:.1f} kB"
        assert speedup == f"{here[technique]['speedup']['value']:.2f}x"
        assert bound == f"{here[technique]['speedup']['low']:.2f}x"


@pytest.mark.parametrize(
    ("column", "rule"), [(1, "gate"), (2, "pytest-benchmark mean:5%"), (3, "asv (Mann-Whitney, 1.1)")]
)
def test_the_table_of_the_gate_is_that_of_the_study(column, rule):
    """Over all loads of the other cores."""
    study = pd.read_csv(ROOT / "reports" / "gate_study" / f"{MACHINE}.csv")
    summed = study[study.rule == rule].groupby("planted")[["n", "regressed"]].sum()
    for row in rows("Why trust it"):
        planted = 0.0 if row[0] == "none" else float(row[0].rstrip(" %")) / 100
        assert row[column] == f"{summed.regressed[planted]} of {summed.n[planted]}"


def test_the_picture_shows_techniques_of_the_report(tmp_path, monkeypatch):
    """Drawn again by its script, from the committed figures."""
    from matplotlib import pyplot as plt

    script = ROOT / "docs" / "images" / "tradeoffs.py"
    spec = importlib.util.spec_from_file_location("tradeoffs_picture", script)
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    _, axes = plt.subplots()
    drawn.draw(pd.read_csv(drawn.RUN), axes)
    assert set(drawn.PLACES) == {text.get_text().partition(",")[0] for text in axes.texts}
    monkeypatch.setattr(drawn, "HERE", tmp_path)
    drawn.main()
    plt.close("all")
    assert (tmp_path / "tradeoffs.png").stat().st_size > 10_000


def test_every_command_has_a_row():
    """Eight of them."""
    assert 8 == len(rows("Commands"))


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_model_of_ones_own_runs(tmp_path, suite):
    """With the command below it, and it learns."""
    (tmp_path / "irises.py").write_text(MODEL, "utf-8")
    (words,) = re.findall(r"`suite (bench [^`]*irises)`", PAGE)
    done = suite(*words.split(), "--seeds=1", "--device=cpu", "--technique=baseline", cwd=tmp_path, timeout=600)
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-2000:]
    table = pd.read_csv(tmp_path / "reports" / "latest" / "tradeoffs.csv")
    assert table.accuracy[0] > 0.8


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_output_is_what_the_command_prints(tmp_path, suite):
    """Exact lines of the regression; quality and speed by their shape, since another machine rounds another way."""
    expectations = tmp_path / "expectations"
    shutil.copytree(ROOT / "expectations", expectations)
    lower_the_size(expectations / "any" / "digits_cnn.toml")
    command, *shown = [line for line in CONSOLE.splitlines() if line != "..."]
    words = [word.strip("'") for word in command.removeprefix("$ suite ").split()]
    done = suite(*words, cwd=tmp_path, env={"COLUMNS": "100"}, timeout=600)
    assert 1 == done.returncode, done.stdout[-3000:] + done.stderr[-2000:]
    printed = done.stdout.splitlines()
    for line in shown:
        if line.startswith(("regressed ", "digits_cnn on", "    suite bench")):
            assert line in printed
        elif line.startswith("  narrow"):
            assert any(one.startswith("  narrow(width=0.25)") and one.endswith("regressed") for one in printed)
        elif line.startswith("verdicts: "):
            assert any(one.startswith("verdicts: 1 regressed, ") for one in printed)
        else:
            heads = {"technique", "accuracy", "verdict"}  # a sound interval is narrower, so that more columns fit
            assert heads <= set(line.split())
            assert any(heads <= set(one.split()) for one in printed)


def lower_the_size(path):
    """The size of the narrow network as it would be stored if it had been smaller before."""
    entry = '["narrow(width=0.25)".artefact_bytes]\nvalue = 58216\nlow = 58216\nhigh = 58216'
    text = path.read_text("utf-8")
    assert entry in text
    path.write_text(text.replace(entry, entry.replace("58216", "52216")), "utf-8")
