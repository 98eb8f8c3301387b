"""Columns come out of the page as they went in, each in its smallest type."""
# the expected value stands on the left

import base64
import gzip
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.report.foreign import printable
from suite.report.page.packing import PageColumn, as_json, compressed, packed


def unpacked(text):
    """What the page's script does: head and columns by name."""
    content = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(content[:4], "little")
    head = json.loads(content[4 : 4 + length])
    columns = {}
    for column in head["columns"]:
        kind = np.dtype("<" + column["kind"])
        at = 4 + length + column["offset"]
        assert at % kind.itemsize == 0  # or a typed array cannot begin there
        values = np.frombuffer(content, kind, head["rows"], at)
        columns[column["name"]] = [column["texts"][code] for code in values] if "texts" in column else values.tolist()
    return head, columns


def text_column(values):
    return PageColumn(name="name", title="a name", values=values)


@given(st.lists(st.none() | st.text(min_size=1, max_size=5), max_size=30))
def test_texts_come_back_and_missing_ones_are_empty(values):
    _, columns = unpacked(packed([text_column(values)]))
    assert [printable(value or "") for value in values] == columns["name"]


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False), max_size=30))
def test_numbers_come_back_and_missing_ones_are_no_numbers(values):
    _, columns = unpacked(packed([PageColumn(name="n", title="n", values=values, show="number")]))
    assert [value is None for value in values] == [math.isnan(value) for value in columns["n"]]
    assert [value for value in values if value is not None] == [v for v in columns["n"] if not math.isnan(v)]


@pytest.mark.parametrize(("texts", "kind"), [(255, "u1"), (256, "u2"), (65_536, "u4")])
def test_codes_have_the_smallest_type_that_holds_them(texts, kind):
    head, columns = unpacked(packed([text_column([f"t{number}" for number in range(texts)])]))
    assert kind == head["columns"][0]["kind"]
    assert f"t{texts - 1}" == columns["name"][-1]


def test_columns_of_unlike_types_stand_side_by_side():
    """One byte a row, then four."""
    numbers = PageColumn(name="n", title="n", values=[1.5, None, 3.0], show="percent", ends=("low", "high"))
    head, columns = unpacked(packed([text_column(["a", "b", "a"]), numbers]))
    assert ["a", "b", "a"] == columns["name"]
    assert [1.5, 3.0] == columns["n"][::2]
    assert ["low", "high"] == head["columns"][1]["ends"]


@pytest.mark.parametrize("texts", range(1, 9))
def test_counts_keep_every_digit(texts):
    """16,777,217 is no float32; the column is aligned whatever stands before it."""
    counts = PageColumn(name="n", title="n" * texts, values=[16_777_217, None, 9_007_199_254_740_991], show="whole")
    head, columns = unpacked(packed([text_column(["a"] * 3), counts]))
    assert "f8" == head["columns"][1]["kind"]
    assert [16_777_217, 9_007_199_254_740_991] == columns["n"][::2]


def test_a_table_without_rows_or_columns_is_one():
    assert (0, []) == tuple(unpacked(packed([]))[0].values())
    assert [] == unpacked(packed([text_column([])]))[1]["name"]


def test_equal_contents_give_equal_texts():
    """No time of writing is in them."""
    assert compressed(b"the same") == compressed(b"the same")


@given(st.text())
def test_json_in_a_script_element_cannot_end_it(text):
    written = as_json({"text": f"</script><!--{text}"})
    assert "<" not in written
    assert f"</script><!--{text}" == json.loads(written)["text"]
