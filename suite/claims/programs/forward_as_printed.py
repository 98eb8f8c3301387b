"""K-05: one forward of the network as printed: fc1 expects 9216 values, two poolings leave 1600."""

import torch

from suite.claims.programs.network import ArticleCNN

if __name__ == "__main__":
    ArticleCNN()(torch.zeros(1, 1, 28, 28))
