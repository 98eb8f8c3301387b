"""Exports that lose accuracy: torchvision's networks under each engine against eager torch."""
