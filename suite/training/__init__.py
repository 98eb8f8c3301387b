"""Recipes, the one training loop, serving, and the store of trained networks."""
