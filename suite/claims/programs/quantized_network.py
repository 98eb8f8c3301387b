"""K-09: main() as printed quantizes a network that it has just made, not the one that it trained."""

import json

import torch
from torch import nn
from torch.ao.quantization import quantize_dynamic

from suite.claims.programs.network import ArticleCNN

if __name__ == "__main__":
    trained = ArticleCNN(features=64 * 5 * 5)
    quantized = quantize_dynamic(ArticleCNN(features=64 * 5 * 5), {nn.Linear, nn.Conv2d}, dtype=torch.qint8)
    same = torch.equal(trained.conv1.weight, quantized.conv1.weight)
    print(json.dumps({"quantizes_what_was_trained": same}))
