"""The network that section 5 prints, with the size of its first Linear layer as a parameter: 9216 there."""

import torch
from torch import nn


class ArticleCNN(nn.Module):
    """Two convolutions, two poolings, two Linear layers; images [B, 1, 28, 28] to classes [B, 10]."""

    def __init__(self, features: int = 64 * 12 * 12) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(features, 128)
        self.fc2 = nn.Linear(128, 10)

    def flattened(self, x: torch.Tensor) -> torch.Tensor:
        """What the first Linear layer is given: [B, 1600]."""
        x = self.pool(torch.relu(self.conv1(x)))
        return torch.flatten(self.pool(torch.relu(self.conv2(x))), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.fc1(self.flattened(x)))
        return self.fc2(x)  # type: ignore[no-any-return]  # a Linear layer's answer is a tensor
