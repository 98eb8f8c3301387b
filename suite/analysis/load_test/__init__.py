"""Serving under load: latency against throughput, and a dynamic batcher under arrivals in real time."""
