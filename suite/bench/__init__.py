"""One bench run: which cells, how each is measured and judged, and the pytest plugin that drives it."""
