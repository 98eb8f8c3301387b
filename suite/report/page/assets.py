"""The files that a page is made of: template, style, scripts, and the plotting library with its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from suite.report.page.packing import compressed

SCRIPTS = (
    "unpack.js",
    "format.js",
    "selection.js",
    "sorting.js",
    "grid.js",
    "controls.js",
    "plotting.js",
    "costs.js",
    "scatter.js",
    "speeds.js",
    "roofline.js",
    "sweeps.js",
    "ratios.js",
    "history.js",
    "main.js",
)
"""The page's modules in their order: they are joined to one, so that no file is loaded when the page opens."""
PLOTLY = "vendor/plotly-cartesian.min.js"
PLOTLY_VERSION = "4.1.1"  # of npm's plotly.js-cartesian-dist-min
PLOTLY_SHA256 = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"
PLACE = re.compile(r"\{\{(\w+)\}\}")


def asset(name: str) -> str:
    """The text of a file of ``assets``."""
    return files("suite.report.page").joinpath("assets", name).read_text("utf-8")


def script() -> str:
    """All modules as the content of one script element."""
    return "\n".join(asset(name) for name in SCRIPTS)


@cache
def plotting_library() -> str:
    """The library, compressed: a third of its size, and read only after the first section is on the screen."""
    return compressed(asset(PLOTLY).encode())


def filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with each ``{{name}}`` replaced by its part, once: a part is not searched for further names."""
    return PLACE.sub(lambda place: parts[place[1]], template)
