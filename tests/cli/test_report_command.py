"""`suite report --page`: the page of one run and of several, with what other commands found beside them."""
# the expected value stands on the left

import json
import re

import page_samples
import pytest

from suite.cli.main import main
from suite.cli.report_page import findings
from suite.core.records import Where
from suite.report.history.file import remember
from suite.report.page import RunContent
from suite.report.results.folder import point_latest

MEANS = """workload,resource_name,score,amount,quality,low,high
digits_cnn,steps,accuracy,10,0.8,0.7,0.9
digits_cnn,steps,accuracy,100,0.9,,
"""


def plots_of(page):
    """The plain values that the page's scripts draw."""
    return json.loads(re.search(r'id="plots-data">(.*?)</script>', page.read_text("utf-8"))[1])


def test_the_latest_run_gets_its_page_beside_its_tables(tmp_path, capsys):
    folder = page_samples.small(tmp_path)
    point_latest(tmp_path, folder.path.name)
    assert 0 == main(["report", "--page", f"--reports-dir={tmp_path}"])
    assert (folder.path / "index.html").is_file()
    said = capsys.readouterr().out
    assert "# Trade-offs of" in said
    assert "index.html" in said


def test_without_the_option_there_is_no_page(tmp_path):
    folder = page_samples.small(tmp_path)
    assert 0 == main(["report", str(folder.path)])
    assert not (folder.path / "index.html").exists()


def test_the_page_of_several_runs_lies_in_the_folder_of_reports(tmp_path):
    """One page for two machines; each run keeps its own tables."""
    folders = [page_samples.small(tmp_path / name, where=page_samples.elsewhere(name)) for name in ("one", "two")]
    assert 0 == main(["report", "--page", f"--reports-dir={tmp_path}", *(str(folder.path) for folder in folders)])
    assert "Trade-offs of one, two" in (tmp_path / "index.html").read_text("utf-8")
    assert all((folder.path / "tradeoffs.csv").is_file() for folder in folders)


def test_the_comment_of_a_pattern_lies_in_the_folder_of_reports(tmp_path):
    """A second call finds the same runs: nothing is named like the pattern, and no run's own comment is replaced."""
    folders = [page_samples.small(tmp_path / name, where=page_samples.elsewhere(name)) for name in ("one", "two")]
    for folder in folders:
        assert 0 == main(["report", str(folder.path), "--comment"])
    own = [(folder.path / "comment.md").read_text("utf-8") for folder in folders]
    for _ in range(2):
        assert 0 == main(["report", f"{tmp_path}/*/*-cpu", "--comment", f"--reports-dir={tmp_path}"])
    joint = (tmp_path / "comment.md").read_text("utf-8")
    assert all(name in joint for name in ("on one", "on two"))
    assert own == [(folder.path / "comment.md").read_text("utf-8") for folder in folders]


def test_everything_that_is_asked_for_is_written(tmp_path):
    """A page beside a comment, a badge and a frame."""
    folder = page_samples.small(tmp_path).path
    frame = tmp_path / "all.csv"
    assert 0 == main(["report", str(folder), "--page", "--comment", "--badge", "--frame", str(frame)])
    assert all((folder / name).is_file() for name in ("index.html", "comment.md", "badge.svg", "tradeoffs.csv"))
    assert frame.is_file()


@pytest.mark.parametrize("content", [None, "", '{"type": "header", "novelty": 1}\n'])
def test_an_empty_folder_and_other_schemas_are_one_message(tmp_path, capsys, content):
    """The file, and what to do; no traceback."""
    if content is not None:
        (tmp_path / "results.jsonl").write_text(content, "utf-8")
    assert 11 == main(["report", "--page", str(tmp_path)])
    said = capsys.readouterr()
    assert "results.jsonl" in said.err
    assert "run `suite bench`" in said.err
    assert "Traceback" not in said.err


def test_claims_of_another_version_cost_the_page_nothing_else(tmp_path, capsys):
    """A line says what to do about them."""
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "claims.json").write_text('{"schema": 99}', "utf-8")
    assert findings([], tmp_path).claims is None
    assert "no claims on the page: " in capsys.readouterr().out


def test_nothing_was_found_where_no_other_command_ran(tmp_path):
    found = findings([RunContent.read(page_samples.small(tmp_path))], tmp_path)
    assert (None, 0, 0) == (found.claims, len(found.changes), len(found.curves))


def test_learning_curves_of_the_latest_run_are_drawn(tmp_path):
    """As the report of that run has them; an interval that is not known stays empty."""
    for day, text in (("2026-11-22", "nonsense"), ("2026-11-23", MEANS)):
        (tmp_path / f"{day}-curves").mkdir()
        (tmp_path / f"{day}-curves" / "means.csv").write_text(text, "utf-8")
    folder = page_samples.small(tmp_path)
    assert 0 == main(["report", "--page", f"--reports-dir={tmp_path}", str(folder.path)])
    (curve,) = plots_of(folder.path / "index.html")["curves"]["plots"]
    assert "digits_cnn along steps" == curve["title"]
    assert [[0.8, 0.9], [0.7, None], [0.9, None]] == curve["score"]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", MEANS.replace("0.8", "high"), "\x00\xff"])
def test_curves_that_cannot_be_read_cost_the_page_nothing_else(tmp_path, capsys, content):
    """A line names the file."""
    (tmp_path / "2026-11-23-curves").mkdir()
    (tmp_path / "2026-11-23-curves" / "means.csv").write_bytes(content.encode("latin-1"))
    assert not findings([], tmp_path).curves
    assert "no learning curves on the page: " in capsys.readouterr().out


def test_a_change_of_the_history_is_marked(tmp_path):
    """At the run at which `suite trend` flags it."""
    pytest.importorskip("ruptures")
    where = Where(machine="cpu-changed", family="cpu", device="cpu", threads=1)
    for day in range(1, 25):
        value = (2.0 if day < 13 else 3.0) + day % 3 / 1000
        made = page_samples.figures("compiled", speedup=(value, value - 0.01, value + 0.01))
        started = f"2026-11-{day:02}T00:00:00+00:00"
        folder = page_samples.write_run(tmp_path, made, run=f"run-{day}", started=started, where=where)
        remember(folder, tmp_path)
    assert 0 == main(["report", "--page", f"--reports-dir={tmp_path}", str(folder.path)])
    (series,) = plots_of(folder.path / "index.html")["history"]["plots"]
    assert ["2026-11-13T00:00:00+00:00"] == series["changes"]
