"""Text from elsewhere is shown as text: no escape sequence, line, HTML or code of its own."""
# the expected value stands on the left

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import header, measured

from suite.core.records import RunEnd
from suite.report.foreign import code, fence, inline, printable
from suite.report.github import summary
from suite.report.pipe_table import escaped
from suite.report.results.folder import RunFolder
from suite.report.tradeoffs import write


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("plain text", "plain text"),
        (r"\x1b[2Jgone", "\x1b[2Jgone"),
        ("two lines", "two\n  lines"),
        (r"a\u202eb", "a\u202eb"),
        (r"\x9b31m", "\x9b31m"),
        ("größer", "größer"),
    ],
)
def test_control_characters_are_escapes_and_lines_become_one(expected, text):
    """What a terminal would obey is shown."""
    assert expected == printable(text)


@given(st.text())
def test_nothing_printable_is_a_control_character(text):
    """Whatever the text was; a second pass changes nothing."""
    shown = printable(text)
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert shown == printable(shown)


@given(st.text(alphabet="ab`<|\n ", max_size=12))
def test_a_code_span_holds_its_backticks(text):
    """Its ends are longer than any run of backticks within (CommonMark)."""
    ticks, inner = re.fullmatch(r"(`+)(.*?)\1", code(text)).groups()
    assert printable(text).strip() == inner.strip()
    assert ticks not in inner


def test_a_fence_outlasts_what_it_holds():
    """A line of backticks does not end it."""
    assert ["````sh", "```", "echo", "````"] == fence(["```", "echo"], "sh").split("\n")


def test_markdown_holds_no_html_of_others():
    """Neither in a line nor in a cell."""
    assert r"&lt;img src=x> \`x\`" == inline("<img src=x> `x`")
    assert r"&lt;b> \| x" == escaped("<b> |\n x")


def test_a_run_from_elsewhere_brings_no_markup_into_reports(tmp_path):
    """Its command, commit and reasons are text."""
    made = header(command="`; <script>\n# Heading", commit="<img>")
    folder = RunFolder.create(tmp_path, made)
    odd = measured("baseline", "speedup", 1.0, suspect="<b>\x1b[31m\n# x")
    folder.append(odd, RunEnd(groups=0, done=0, whole=True))
    shown = write(folder)[2].read_text("utf-8") + summary(made, [], fails=bool, rerun=str)
    assert "\x1b" not in shown
    assert "\n# Heading" not in shown
    assert "\n# x" not in shown
    assert "<img>" not in shown
    assert "<b>" not in shown
