"""The table of the zoo, in a terminal and in a file."""
# the expected value stands on the left

from dataclasses import replace

import pandas as pd
import pytest
from zoo_samples import COUNTS, ENTRY

from suite.claims.torchvision.table import table, write_csv
from suite.core.errors import UsageError

COUNTED = [
    (ENTRY, COUNTS),
    (replace(ENTRY, model="other", weights="FEATURES", accuracy=None), replace(COUNTS, macs=None)),
]
WHOLE = """\
network        IMAGENET1K_  parameters  GMACs   MB  top-1 %  pixels
squeezenet1_1  V1            1,235,496  0.349  4.9    58.18     224
other          FEATURES      1,235,496      -  4.9        -     224""".splitlines()


def test_names_stand_left_and_figures_right():
    """What is not known is a dash."""
    assert WHOLE == list(table(COUNTED, 80))


def test_a_narrow_terminal_leaves_columns_out_and_says_so():
    """Never the names that tell entries apart before their figures."""
    heading, *rest = table(COUNTED, 40)
    assert ["network", "IMAGENET1K_", "GMACs"] == heading.split()
    assert "not shown at this width: MB, pixels, top-1 %, parameters; see --csv FILE" == " ".join(rest[2:])


@pytest.mark.parametrize("width", range(20, 80))
def test_no_line_is_wider_than_the_terminal(width):
    """From the narrowest that holds a name."""
    assert width >= max(map(len, table(COUNTED, width)))


def test_a_file_has_whole_numbers_and_what_is_published(tmp_path):
    """Empty where nothing is known."""
    write_csv(COUNTED, tmp_path / "zoo.csv")
    first, second = pd.read_csv(tmp_path / "zoo.csv").to_dict("records")
    assert (349_151_936, 4_941_984, 58.178, 0.349) == tuple(
        first[name] for name in ("macs", "bytes", "top1_percent", "published_gmacs")
    )
    assert [True, True] == [pd.isna(second[name]) for name in ("macs", "top1_percent")]


def test_a_file_that_cannot_be_written_is_one_message(tmp_path):
    """With what the system says."""
    with pytest.raises(UsageError, match=r"cannot write .*No such file or directory; name a file"):
        write_csv(COUNTED, tmp_path / "missing" / "zoo.csv")
