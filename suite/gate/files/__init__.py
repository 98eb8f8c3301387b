"""Expectation files: reading, matching to a machine and versions, editing, writing, checking."""
