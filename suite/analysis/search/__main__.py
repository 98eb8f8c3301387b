"""``python -P -m suite.analysis.search OPTIONS``: a search in a quiet process, on a core of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from suite.analysis.search.options import SearchOptions
from suite.analysis.search.search import search
from suite.core import transport
from suite.core.errors import SuiteError
from suite.core.exit_codes import EXIT_INTERRUPTED, EXIT_UNUSABLE
from suite.core.machine import child, quiet
from suite.registry import REGISTRY
from suite.registry.settings import load_user_modules


def main(text: str) -> int:
    """Search as ``text`` says; an error that a user can mend is one message."""
    try:
        options = transport.from_line(text, SearchOptions)
        quiet.apply_threads()
        load_user_modules(REGISTRY, Path.cwd(), list(options.load))
        return search(REGISTRY, options, lambda line: print(line, flush=True))
    except SuiteError as error:
        print(f"suite: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    child.interrupt_on_termination()
    quiet.pin()
    sys.exit(main(sys.argv[1]))
