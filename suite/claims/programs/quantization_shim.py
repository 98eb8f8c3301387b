"""K-08: torch.quantization, from which section 5.2 imports, hands on names of torch.ao.quantization, deprecated."""

import json
from importlib.util import find_spec

from torch import ao, nn, qint8, quantization

if __name__ == "__main__":
    same = quantization.quantize_dynamic is ao.quantization.quantize_dynamic  # type: ignore[attr-defined]
    quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 2)), {nn.Linear}, dtype=qint8)  # type: ignore[attr-defined]
    print(json.dumps({"works": True, "is_a_shim": same, "torchao_is_installed": find_spec("torchao") is not None}))
