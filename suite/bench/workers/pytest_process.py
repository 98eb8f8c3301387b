"""``python -P -m suite.bench.workers.pytest_process ARGUMENTS``: pytest, quiet, on its own core.

What pytest ended with is also written into the file that the environment variable ``SUITE_ENDED`` names: a process that
a user's code ends early (``os._exit(0)``) says 0 to whoever waits for it, and has gated nothing.
"""

import sys

import pytest

from suite.bench.exit_code import tell
from suite.core.command_line import outlive_readers, printable_streams
from suite.core.exit_codes import EXIT_INTERRUPTED
from suite.core.machine import child, quiet

if __name__ == "__main__":
    printable_streams()
    outlive_readers()
    child.interrupt_on_termination()
    quiet.pin()
    try:
        code = int(pytest.main(sys.argv[1:]))
    except KeyboardInterrupt:  # before pytest handles it
        code = EXIT_INTERRUPTED
    tell(code=code)
    sys.exit(code)
