"""The page about several ranks: what it computes holds."""

import pytest
from doc_pages import BLOCKS

(PROGRAM,) = [block.text for block in BLOCKS if (block.page, block.kind) == ("docs/distributed.md", "python ranks")]


@pytest.mark.system
@pytest.mark.timeout(200)
def test_the_comparison_of_the_page_holds():
    """It starts two ranks."""
    exec(compile(PROGRAM, "docs/distributed.md", "exec"), {})  # noqa: S102  # our own page
