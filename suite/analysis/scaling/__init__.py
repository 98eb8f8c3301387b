"""Curves from runs: trains the points of scaling curves, fits every family to them, and says what that tells."""
