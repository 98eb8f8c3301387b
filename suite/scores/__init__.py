"""Qualities: a figure per item, pooled over seeds and compared with the control item by item."""
