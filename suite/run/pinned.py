"""``python -P -m suite.run.pinned ARGUMENTS``: pytest on a core of its own with the quiet process's threads."""

import sys

import pytest

from suite.machine import quiet

if __name__ == "__main__":
    quiet.pin()
    sys.exit(pytest.main(sys.argv[1:]))
