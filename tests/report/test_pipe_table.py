"""Text cells as a Markdown pipe table."""
# the expected value stands on the left

from hypothesis import given
from hypothesis import strategies as st

from suite.report.pipe_table import pipe_table


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
