"""Data sets that lie in a folder, or do not: nothing is downloaded but by ``suite data``."""
