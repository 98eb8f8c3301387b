"""Checks before anything trains: each workload, and each technique on it, does one step."""
