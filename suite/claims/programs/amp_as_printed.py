"""C-09, C-10: the loop of section 3.3 with torch.cuda.amp; on a machine without CUDA both switch themselves off."""

import torch
from torch import nn
from torch.cuda.amp import GradScaler, autocast

if __name__ == "__main__":
    scaler, model = GradScaler(), nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    with autocast():
        loss = model(torch.ones(3, 4)).square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
