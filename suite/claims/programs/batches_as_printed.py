"""K-04: train_model as printed never moves its batches to the network's device.

The device is torch's own without memory, so that it shows on any machine.
"""

import torch
from torch import nn

from suite.claims.programs.network import ArticleCNN

if __name__ == "__main__":
    model = ArticleCNN(features=64 * 5 * 5).to("meta")
    data, target = torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long)
    nn.CrossEntropyLoss()(model(data), target)
