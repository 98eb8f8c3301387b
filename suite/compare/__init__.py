"""Two versions of the code side by side: the same cells, taking turns on one core, and no stored figure."""
