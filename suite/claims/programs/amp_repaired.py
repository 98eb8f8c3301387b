"""C-09, repaired: torch.amp, which knows every device; bfloat16 on a CPU needs no scaling."""

import json

import torch
from torch import nn

if __name__ == "__main__":
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().clone()
    with torch.amp.autocast("cpu", dtype=torch.bfloat16):
        output = model(torch.ones(3, 4))
    output.float().square().mean().backward()
    optimizer.step()
    moved = bool((model.weight != before).any())
    print(json.dumps({"computed_in_bf16": output.dtype == torch.bfloat16, "moved": moved}))
