"""Paired, interleaved timing of several arms, and the samples that it returns."""
