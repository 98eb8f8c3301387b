"""The history of a machine: one line for each metric of each run."""
