"""The results folder of a run, and how long earlier runs took."""
