"""The how-to pages: their files of expectations are read, and the messages that they explain are those of the code."""
# the expected value stands on the left

import re
from datetime import date
from pathlib import Path

import pytest
from doc_pages import BLOCKS, PAGES, ROOT

from suite.gate import load_both

PAGE = "docs/howto-bounds.md"
BOUNDS = {block.kind: block.text for block in BLOCKS if block.page == PAGE}
SOURCES = "".join(path.read_text("utf-8") for path in Path(ROOT, "suite").rglob("*.py"))
JOINED = re.sub(r'"\s*\n\s*f?"', "", SOURCES)  # a text that goes on in the next line


def loaded(folder, text):
    """The entries of a file of the digits for any machine."""
    (folder / "any").mkdir()
    (folder / "any" / "digits_cnn.toml").write_text(text, "utf-8")
    return load_both(folder)[0]


def test_the_entry_of_the_page_is_one_that_a_run_reads(tmp_path):
    (entry,) = loaded(tmp_path, BOUNDS["toml entry"])
    assert ("structured_pruning(ratio=0.5,epochs=5)", "speedup", 2.09) == (entry.technique, entry.metric, entry.low)


def test_the_known_failure_of_the_page_is_one_that_a_run_reads(tmp_path):
    """Below an entry of its technique."""
    own = BOUNDS["toml entry"].replace("structured_pruning(ratio=0.5,epochs=5)", "static_int8")
    (entry,) = loaded(tmp_path, own + BOUNDS["toml xfail"])
    assert date(2027, 3, 1) == entry.xfail.until


def explained():
    """Parts of the messages in the first column of the table, as far as the code writes them without a value."""
    rows = re.findall(r"^\| (.*?) \|", PAGES["docs/howto-inconclusive.md"], re.MULTILINE)
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    return [max(re.split(r"\.\.\.|\d+", text), key=len).strip(" ,(") for text in quoted]


@pytest.mark.parametrize("message", explained())
def test_a_message_that_is_explained_is_one_that_the_code_writes(message):
    assert message in JOINED
