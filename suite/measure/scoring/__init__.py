"""Qualities of a trained network: item by item, pooled over seeds, compared with a control."""
