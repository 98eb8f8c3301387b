"""``python -P -m suite.pinned ARGUMENTS``: pytest on one core with the quiet process's number of threads."""

import sys

import pytest

from suite import quiet

if __name__ == "__main__":
    quiet.pin()
    sys.exit(pytest.main(sys.argv[1:]))
