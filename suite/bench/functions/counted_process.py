"""``python -P -m suite.bench.functions.counted_process LIBRARY OUT FILE.py:F``, under valgrind.

It counts the instructions of one function and prints the files of its counts as a line of JSON.
"""

from __future__ import annotations

import json
import sys

from suite.bench.functions.loading import function
from suite.measure.counting.callgrind import Callgrind


def main(library: str, out: str, text: str) -> None:
    """Print the files; see `suite.bench.functions.instructions`."""
    files = Callgrind(library, out).counted(function(text), lambda: None)
    sys.stdout.write(json.dumps(files) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
