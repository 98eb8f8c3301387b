"""torchvision's classification networks: what they count, held against what torchvision publishes."""
