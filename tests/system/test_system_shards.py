"""A run in two parts on the real thing: merged, it is the run that one process would have made."""
# the expected value stands on the left

import pytest

from suite.report import load

pytestmark = pytest.mark.system

KEYS = ["workload", "technique", "device", "metric"]


def steady(path):
    """What does not depend on the clock: quality and sizes."""
    frame = load(path)
    known = frame[frame["group"].isin(["quality", "size"]) & (frame["unit"] != "s")]
    return known.set_index(KEYS)["value"].sort_index()


@pytest.mark.timeout(600)
def test_two_shards_merged_are_the_whole_run(bench, suite, lab):
    """Same rows and figures; the merged run is whole, judged and has its tables."""
    chosen = ("--workload=tiny", "--expect=report")
    for more in ((), ("--shard=1/2",), ("--shard=2/2",)):
        done = bench(*chosen, *more, f"--reports-dir=reports{more[0][-3] if more else 0}", cwd=lab)
        assert 0 == done.returncode, done.stdout + done.stderr
    parts = [str(lab / f"reports{number}" / "latest") for number in (1, 2)]
    done = suite("merge", *parts, "--out", "merged", cwd=lab)
    assert 0 == done.returncode, done.stdout + done.stderr
    whole, merged = lab / "reports0" / "latest", lab / "merged" / "latest"
    assert steady(whole).equals(steady(merged))
    cells = [set(load(path)["technique"]) for path in (*parts, merged)]
    assert cells[0] | cells[1] == cells[2]
    assert not cells[0] & cells[1]
    assert (merged / "tradeoffs.md").is_file()
    done = suite("diff", str(whole), str(merged), cwd=lab)
    assert "went" not in done.stdout, done.stdout


def test_a_missing_shard_is_said(bench, suite, lab):
    """Half a gate is no gate."""
    done = bench("--workload=tiny", "--expect=gate", "--shard=1/2", cwd=lab)
    assert 0 == done.returncode, done.stdout + done.stderr
    done = suite("merge", str(lab / "reports" / "latest"), "--out", "merged", cwd=lab)
    assert 12 == done.returncode
    assert "not measured" in done.stderr
