"""Expectations from a run: rejected metrics, stored metrics, and values shared by several machines."""
