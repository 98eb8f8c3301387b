"""``python -P -m suite.run.pinned ARGUMENTS``: pytest on a core of its own with the quiet process's threads.

What pytest ended with is also written into the file that the environment variable ``SUITE_ENDED`` names: a process that
a user's code ends early (``os._exit(0)``) says 0 to whoever waits for it, and has gated nothing.
"""

import sys

import pytest

from suite.command_line import printable_streams
from suite.machine import child, quiet
from suite.run.decide import tell

if __name__ == "__main__":
    printable_streams()
    child.interrupt_on_termination()
    quiet.pin()
    code = int(pytest.main(sys.argv[1:]))
    tell(code=code)
    sys.exit(code)
