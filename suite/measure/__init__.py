"""Measuring: the paired sampler and its intervals, sizes, operations and memory."""
