"""Sphinx reads the pages beside this file as they are: `nox -s docs` builds the site."""

import re
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

FOLDER = Path(__file__).parent
LINK = re.compile(r"\[([^\]]+)\]\((\.\.[^)#]*)(#[^)]*)?\)")

project = "tradeoff-suite"
author = "The tradeoff-suite developers"
release = next((found.version for found in metadata.distributions() if found.name == project), "")

extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
suppress_warnings = ["misc.highlighting_failure"]  # of CSV
myst_heading_anchors = 3  # the pages link to headings, as a repository shows them
html_theme = "furo"
html_title = project
exclude_patterns = ["_build"]


def _without_links_out(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Name the files that lie outside of this folder, which a built site does not hold."""
    page = FOLDER / f"{docname}.md"

    def named(link: re.Match[str]) -> str:
        target = (page.parent / link[2]).resolve()
        return link[0] if target.is_relative_to(FOLDER) else f"{link[1]} (`{target.relative_to(FOLDER.parent)}`)"

    source[0] = LINK.sub(named, source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _without_links_out)
