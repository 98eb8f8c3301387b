"""The pytest files that a bench run collects: ``pytest --pyargs suite.bench.benchmarks``."""
