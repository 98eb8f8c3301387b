"""K-06, repaired: the module is imported. K-11, K-12, K-18: what it masks and what it adds."""

import json

import torch
from torch import nn
from torch.nn.utils import prune

if __name__ == "__main__":
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 32, 3)
    before = layer.weight.detach().clone()
    prune.l1_unstructured(layer, name="weight", amount=0.2)
    kept = layer.get_buffer("weight_mask").bool()
    print(
        json.dumps(
            {
                "masked": int((~kept).sum()),
                "smallest_first": float(before[kept].abs().min()) >= float(before[~kept].abs().max()),
                "stored_tensors": len(layer.state_dict()),
            }
        )
    )
