"""Two plain callables measured against each other: the fixture ``tradeoff`` and the command `suite time`."""
