"""The page of whole, unfinished, hostile and several runs: what it says, in which order, and that it loads nothing."""
# the expected value stands on the left

import re
from html.parser import HTMLParser

import page_samples
import pytest
from samples import RUN, header

from suite.core.errors import ResultsError
from suite.report.page import PAGE, RunContent, render, run_content, try_writing, write
from suite.report.results.folder import RESULTS, RunFolder
from suite.report.tradeoffs import write as write_tables
from suite.report.tradeoffs import write_and_keep


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text that is no script's."""

    def __init__(self):
        super().__init__()
        self.found, self.text, self._silent = [], [], False

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag):
        self._silent = self._silent and tag not in ("script", "style")

    def handle_data(self, data):
        self.text += [] if self._silent else [data]


def parsed(page):
    elements = Elements()
    elements.feed(page)
    return elements


def page_of(*folders):
    return render([RunContent.read(folder) for folder in folders], folders[0].path)


def text_of(*folders):
    return " ".join("".join(parsed(page_of(*folders)).text).split())


def test_sections_stand_in_the_order_of_their_importance(tmp_path):
    """Verdicts first, where values come from last."""
    found = parsed(page_of(page_samples.small(tmp_path))).found
    sections = [attributes["id"] for tag, attributes in found if tag == "section"]
    ranked = ["verdicts", "tradeoffs", "scatter", "speeds", "roofline", "engines", "sweeps", "ratios", "history"]
    assert ranked == sections[:9]
    assert ["claims", "support", "measurements", "provenance"] == sections[9:]


def test_the_first_section_says_what_won_and_what_regressed(tmp_path):
    """Stored value, new value, loss, bound, and the command that measures it again."""
    text = text_of(page_samples.small(tmp_path))
    assert "static_int8 is fastest without a measurable loss" in text
    assert "1 regressed, 1 unavailable, 1 pass" in text
    assert "regressedspeedup2.42 [1.9, 2.1]16.7 %>= 2.2made up to be regressed" in text
    assert "suite bench --workload digits_cnn --technique static_int8 --device cpu" in text
    assert text.index("1 regressed") < text.index("is fastest") < text.index("One row for each cell")


def test_nothing_is_loaded_from_elsewhere(tmp_path):
    """No address but links to the run's own files, no element that fetches, and a policy that forbids it."""
    found = parsed(page_of(page_samples.small(tmp_path))).found
    assert [] == [tag for tag, attributes in found if "src" in attributes or tag in ("link", "iframe", "object")]
    links = [attributes["href"] for tag, attributes in found if tag == "a"]
    assert "results.jsonl" in links
    assert [] == [link for link in links if ":" in link or link.startswith("/")]
    (policy,) = (attributes["content"] for _, attributes in found if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none';")


def test_hostile_names_and_reasons_are_text(tmp_path):
    """HTML, Markdown, escape sequences and characters that turn the direction."""
    page = page_of(page_samples.hostile(tmp_path))
    found = parsed(page)
    assert [] == [tag for tag, _ in found.found if tag in ("img", "b")]
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "because <img src=x onerror=alert(1)>`**bold**`\\x1b[31m\\u202e<b>" in "".join(found.text)
    assert 5 == page.count("</script>")  # those of the template: a command did not end one


def test_a_run_without_verdicts_says_so_and_how_to_get_them(tmp_path):
    text = text_of(page_samples.small(tmp_path, verdicts=[]))
    assert "No verdict: this run compared nothing with a stored expectation." in text


def test_an_unfinished_run_says_how_much_is_missing(tmp_path):
    """Above everything else."""
    text = text_of(page_samples.unfinished(tmp_path))
    assert "unfinished: 1 of 2 groups of metrics were measured" in text
    assert text.index("unfinished") < text.index("One row for each cell")


def test_a_run_without_any_measurement_has_a_page(tmp_path):
    """It was ended right after its first line."""
    text = text_of(RunFolder.create(tmp_path, header(groups=3)))
    assert "unfinished: 0 of 3 groups" in text
    assert "No technique was compared with a baseline." in text
    assert "No technique was measured." in text


def test_machines_stand_side_by_side_even_with_one_run_id(tmp_path):
    """Two machines may start a run in the same second."""
    folders = [
        page_samples.small(tmp_path / machine, where=page_samples.elsewhere(machine)) for machine in ("first", "second")
    ]
    text = text_of(*folders)
    assert "first: 1 regressed" in text
    assert "second: 1 regressed" in text
    assert "techniquefirstsecond" in text


def test_one_machine_twice_is_told_apart_by_its_runs(tmp_path):
    folders = [page_samples.small(tmp_path / name, run=name) for name in ("one", "two")]
    assert "cpu-x86_64-test-2c, one: 1 regressed" in text_of(*folders)


def test_the_page_lies_beside_the_records(tmp_path):
    folder = page_samples.small(tmp_path)
    assert folder.path / PAGE == write([RunContent.read(folder)], folder.path / PAGE)
    assert f"page: {folder.path / PAGE}" == try_writing(folder)


def test_a_table_that_the_run_has_written_is_not_made_again(tmp_path, monkeypatch):
    """It is handed over, and the page is the same."""
    folder = page_samples.small(tmp_path)
    paths, table = write_and_keep(folder)
    assert paths == write_tables(folder)
    expected = page_of(folder)
    monkeypatch.setattr(run_content, "tradeoffs", None)
    assert expected == render([RunContent.read(folder, table)], folder.path)


def test_a_page_that_cannot_be_written_fails_no_run(tmp_path):
    """The line at the end says why."""
    folder = page_samples.small(tmp_path)
    (folder.path / PAGE).mkdir()
    line = try_writing(folder)
    assert re.match(r"page: not written, ResultsError: cannot write .*index\.html", line)


@pytest.mark.parametrize("line", ['{"type": "header", "run": "x", "new": 1}', '{"type": "novelty"}', "no JSON"])
def test_records_of_another_version_are_refused_with_the_remedy(tmp_path, line):
    """Older and newer ones alike: file, line and what to do."""
    folder = page_samples.small(tmp_path)
    with (folder.path / RESULTS).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(
        ResultsError, match=r"results\.jsonl:\d+: not a record of this version.*run `suite bench` again"
    ):
        RunContent.read(folder)


def test_a_page_needs_a_run(tmp_path):
    with pytest.raises(ResultsError, match="no page without a run"):
        render([], tmp_path)


def test_older_headers_have_unknown_families(tmp_path):
    """They do not say which kind a technique is of."""
    run = RunContent.read(page_samples.small(tmp_path))
    assert ("unknown", "unknown") == (run.family("static_int8"), run.runtime("static_int8"))


def test_families_and_runtimes_are_those_of_the_header(tmp_path):
    """Of a composition, all members' kinds and the member that serves."""
    families = {"static_int8": "quantization", "compiled": "compilation"}
    run = RunContent.read(page_samples.write_run(tmp_path, RUN, families=families, runtimes=("compiled",)))
    assert "quantization+compilation" == run.family("static_int8+compiled")
    assert "compiled" == run.runtime("static_int8+compiled")
    assert ("baseline", "eager") == (run.family("baseline"), run.runtime("baseline"))
