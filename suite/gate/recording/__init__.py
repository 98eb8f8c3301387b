"""Expectations from a run: what is refused, what is stored, what several machines share."""
