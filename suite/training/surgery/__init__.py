"""Changes of a network's structure and weights: masks, grids of quantization, cutting, factoring, tickets."""
