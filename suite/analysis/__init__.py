"""Tools beside the gate: plan, search, profile, advice, trends, noise, load, scaling curves."""
