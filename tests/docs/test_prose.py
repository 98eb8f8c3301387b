"""Links lead somewhere, lines are wrapped, and the repository has what people expect at its top."""
# the expected value stands on the left

import re
import tomllib

import pytest
from doc_pages import FENCED, PAGES, ROOT

WIDTH = 120
LINKS = sorted(
    {
        (page, target)
        for page, text in PAGES.items()
        for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text))
        if not target.startswith("http")
    }
)


def anchors(text):
    """The names that GitHub gives to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_a_link_leads_to_a_file_and_a_heading(page, target):
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    assert file.exists()
    assert not anchor or anchor in anchors(file.read_text("utf-8"))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_sentences_are_wrapped(page):
    """Tables and pictures are one line each."""
    lines = FENCED.sub("", PAGES[page]).splitlines()
    assert [] == [line for line in lines if len(line) > WIDTH and not line.startswith(("|", "!"))]


def test_each_page_is_in_the_sites_index():
    """A page that is not is found by nobody."""
    index = (ROOT / "docs" / "index.rst").read_text("utf-8").split()
    found = {path.removeprefix("docs/").removesuffix(".md") for path in PAGES if path.startswith("docs/")}
    assert set() == {page for page in found if page not in index and not page.startswith("decisions/")}


@pytest.mark.parametrize("name", ["SECURITY.md", "CITATION.cff", ".pre-commit-config.yaml", "LICENSE"])
def test_what_people_expect_is_there(name):
    assert (ROOT / name).read_text("utf-8").strip()


def test_the_citation_has_the_version_of_the_package():
    """Two numbers that would drift apart."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f'version: "{version}"' in (ROOT / "CITATION.cff").read_text("utf-8")


def test_the_workflow_runs_the_script_and_the_matrix_of_the_noxfile():
    """On every Python that the noxfile has."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert "- run: .ci/run\n" in workflow
    (pythons,) = re.findall(r"^PYTHONS = \((.*)\)$", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    assert f"python: [{pythons}]" in workflow


def test_every_decision_says_what_was_chosen_why_and_what_was_dropped():
    """In half a screen."""
    pages = {page: text for page, text in PAGES.items() if page.startswith("docs/decisions/")}
    assert 7 == len(pages)
    for page, text in pages.items():
        assert ["Chosen", "Why", "Tried and dropped"] == re.findall(r"^\*\*([\w ]+)\.\*\*", text, re.MULTILINE)[:3], (
            page
        )
        assert len(text.splitlines()) <= 30, page
