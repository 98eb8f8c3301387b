"""torchvision's networks: what they count, held against what torchvision publishes."""
