"""K-04, repaired: each batch goes where the network is."""

import json

import torch
from torch import nn

from suite.claims.programs.network import ArticleCNN

if __name__ == "__main__":
    model = ArticleCNN(features=64 * 5 * 5).to("meta")
    device = next(model.parameters()).device
    data, target = torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.long)
    loss = nn.CrossEntropyLoss()(model(data.to(device)), target.to(device))
    print(json.dumps({"loss_is_there": loss.device == device}))
