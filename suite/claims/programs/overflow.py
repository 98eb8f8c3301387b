"""C-10: gradients in float16 at the first loss scale of 65536: which overflow, and whether the step is skipped.

The largest float16 is 65504; what is below 65520 rounds to it, so gradients overflow above 65520 / 65536 = 0.99976.
"""

import json

import torch
from torch import nn

if __name__ == "__main__":
    scaled = torch.tensor([0.9997, 0.9998]) * 65536.0
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(weight.sum()).backward()
    weight.grad = torch.full_like(weight, float("inf"))
    scaler.step(optimizer)
    scaler.update()
    finite = torch.isfinite(scaled.half())
    print(
        json.dumps(
            {
                "below_overflows": not bool(finite[0]),
                "above_overflows": not bool(finite[1]),
                "skipped": float(weight.detach()) == 0.0,
                "scale_after": scaler.get_scale(),
            }
        )
    )
