"""Text cells as a Markdown pipe table."""
# the expected value stands on the left

import tabulate
from hypothesis import given
from hypothesis import strategies as st

from suite.report.pipe_table import escaped, pipe_table


def test_titles_alignment_and_rows_stand_on_a_line_each():
    """The first column left, the second right; numbers are text."""
    assert "| cell   |    n |\n|:-------|-----:|\n| b      | 1.50 |" == pipe_table(
        ("cell", "n"), [("b", "1.50")], alignment=("left", "right")
    )


def test_a_table_without_rows_has_its_titles():
    """Whatever the alignment says."""
    first, second = pipe_table(("cell", "n"), [], alignment=("left", "right")).splitlines()
    assert ["cell", "n"] == [text.strip() for text in first.strip("|").split("|")]
    assert set("|:-") >= set(second)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_whatever_a_cell_holds_it_stays_one_cell_of_one_line(rows):
    """Bars are escaped, line ends become spaces."""
    lines = pipe_table(("a", "b"), rows).split("\n")
    assert 2 + len(rows) == len(lines)
    assert {3} == {line.replace(r"\|", "").count("|") for line in lines}


@given(
    st.lists(st.tuples(*[st.text("ab -_.|[]<0★", max_size=9)] * 2), min_size=1, max_size=4),
    st.tuples(*[st.text("ab ", max_size=9)] * 2),
)
def test_texts_of_plain_characters_stand_as_tabulate_sets_them(rows, titles):
    """The suite pads these itself, in a fraction of the time."""
    cells = [[escaped(text) for text in row] for row in (titles, *rows)]
    head, *body = cells
    expected = tabulate.tabulate(
        body, headers=head, tablefmt="pipe", colalign=["left", "right"], disable_numparse=True
    )  # fmt: skip
    assert expected == pipe_table(titles, rows, alignment=("left", "right"))
