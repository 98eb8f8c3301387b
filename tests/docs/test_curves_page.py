"""The blocks of the page on curves hold as they stand there, and its table names every family."""
# the expected value stands on the left

import re
from pathlib import Path

import pytest

from suite.curves import FAMILIES

TEXT = (Path(__file__).parents[2] / "docs" / "curves.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```python (\w+)\n(.*?)```", TEXT, re.DOTALL))


def test_every_block_is_one_that_is_run():
    """A block without a name would be run by nobody."""
    assert {"fit", "article", "inflection", "budget"} == set(EXAMPLES)
    assert len(EXAMPLES) == TEXT.count("```python")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_blocks_hold(name):
    """They assert what the page says."""
    exec(compile(EXAMPLES[name], f"docs/curves.md:{name}", "exec"), {})  # noqa: S102  # the page's own code


def test_the_table_names_every_family():
    """And no other one."""
    table = TEXT[TEXT.index("| family | value") : TEXT.index("## The article")]
    assert set(FAMILIES) == set(re.findall(r"`(\w+)`", table))
