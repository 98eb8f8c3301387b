"""The exit codes of every command; `suite.bench.exit_code` decides which a run has."""

from collections.abc import Iterable

EXIT_PASS, EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_UNUSABLE, EXIT_NOTHING = 0, 1, 10, 11, 12
EXIT_INTERRUPTED = 2  # pytest's own
WORST_FIRST = (EXIT_UNUSABLE, EXIT_FAILED, EXIT_NOTHING, EXIT_INCONCLUSIVE, EXIT_PASS)
MEANINGS = {
    EXIT_FAILED: "something failed",
    EXIT_INTERRUPTED: "it was interrupted",
    EXIT_INCONCLUSIVE: "too much is inconclusive",
    EXIT_UNUSABLE: "its set-up could not be used",
    EXIT_NOTHING: "less was measured than planned",
}


def worst(codes: Iterable[int]) -> int:
    """The worst of some exit codes; one that is none of ours, such as pytest's 3 to 5, counts as `EXIT_UNUSABLE`."""
    return min((code if code in WORST_FIRST else EXIT_UNUSABLE for code in codes), key=WORST_FIRST.index)
