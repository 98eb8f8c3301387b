"""The exit codes of every command; `suite.bench.exit_code` decides which a run has."""

EXIT_PASS, EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_UNUSABLE, EXIT_NOTHING = 0, 1, 10, 11, 12
EXIT_INTERRUPTED = 2  # pytest's own
