"""K-08: torch.quantization, from which section 5.2 imports, hands on names of torch.ao.quantization, deprecated."""

import json
from importlib.util import find_spec

from torch import ao, nn, qint8, quantization

if __name__ == "__main__":
    quantize = vars(quantization)["quantize_dynamic"]
    same = quantize is ao.quantization.quantize_dynamic
    quantize(nn.Sequential(nn.Linear(4, 2)), {nn.Linear}, dtype=qint8)
    print(json.dumps({"works": True, "is_a_shim": same, "torchao_is_installed": find_spec("torchao") is not None}))
