"""Counts of the work of a call: operators, allocations, compiled graphs, kernels."""
