"""The page on frames: its example runs on two small runs."""
# the expected value stands on the left

import pandas as pd
from doc_pages import BLOCKS
from samples import RUN, header

from suite.report.results.folder import RunFolder


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    """Loaded, told, pivoted and saved."""
    for name in ("one", "two"):
        RunFolder.create(tmp_path / "reports", header(run=name)).append(*RUN)
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in BLOCKS if (block.page, block.kind) == ("docs/frames.md", "python")]
    exec(compile(block.text, "docs/frames.md", "exec"), {})  # noqa: S102  # the documentation's own program
    assert "nothing was judged" in capsys.readouterr().out
    assert 2 * len(RUN) == len(pd.read_parquet("all.parquet"))
