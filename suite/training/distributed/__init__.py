"""Training in several processes at once: launching ranks, sharing a batch, wrapping a network, checking the ranks."""
