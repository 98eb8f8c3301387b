"""K-06: the imports of section 5.2, then its use of torch.nn.utils.prune."""

import torch
import torch.nn as nn  # noqa: PLR0402  # as printed

if __name__ == "__main__":
    torch.nn.utils.prune.l1_unstructured(nn.Conv2d(1, 32, 3), name="weight", amount=0.2)  # type: ignore[attr-defined]
