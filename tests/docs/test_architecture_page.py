"""The page on the architecture names files that exist, every room, and a short way from the command to the verdict."""
# the expected value stands on the left

import re
from itertools import pairwise

import pytest
from doc_pages import PAGES, ROOT
from test_imports import ROOMS

PAGE = PAGES["docs/architecture.md"]
WAY = re.findall(r"^\d+\. `(suite/\S+\.py)`", PAGE, re.MULTILINE)
MOST_FILES, MOST_CHANGES = 25, 10


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:suite|tests)/[\w/]+\.py)`", PAGE))))
def test_a_file_that_is_named_exists(path):
    assert (ROOT / path).is_file()


def test_the_table_has_every_room_in_the_order_of_the_imports():
    """The order that the test on imports holds."""
    assert list(ROOMS) == re.findall(r"^\| `suite/(\w+)/` \|", PAGE, re.MULTILINE)


def test_the_way_of_a_cell_is_short():
    """From the command line to the verdict."""
    rooms = [path.split("/")[1] for path in WAY]
    assert WAY
    assert len(WAY) <= MOST_FILES
    assert sum(before != after for before, after in pairwise(rooms)) <= MOST_CHANGES


def test_ten_questions_are_answered():
    """Each with a file."""
    answers = PAGE.partition("## Where is it?")[2]
    assert 10 == len(re.findall(r"^\| Wh.*\? \| .*`suite/", answers, re.MULTILINE))
