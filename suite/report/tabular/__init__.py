"""Measurements of many runs as one frame of a documented schema, and the usual questions about it."""
