"""Which tools and techniques this machine has, and what it lacks."""

from __future__ import annotations

import importlib
import importlib.util

from suite.claims.facts.declare import local_fact
from suite.core.errors import UnavailableError, unknown

TOOLS = {
    "PyTorch": "torch",
    "PyTorch Profiler": "torch.profiler",
    "TensorBoard": "tensorboard",
    "py-spy": "py_spy",
    "ONNX Runtime": "onnxruntime",
    "TensorRT": "tensorrt",
    "OpenVINO": "openvino",
    "TVM": "tvm",
    "TensorFlow": "tensorflow",
    "LiteRT": "ai_edge_litert",
}
"""The tools of the article's sections 7.2.2 and 7.2.3, and the modules that they are imported by."""


@local_fact
def tool_works(name: str) -> float:
    """1 if a tool of `TOOLS` can be imported; unavailable where it is not installed."""
    if name not in TOOLS:
        raise unknown("tool", name, TOOLS)
    if importlib.util.find_spec(TOOLS[name].partition(".")[0]) is None:
        raise UnavailableError(f"{name} is not installed: pip install {TOOLS[name].replace('_', '-')}")
    try:
        importlib.import_module(TOOLS[name])
    except Exception:  # noqa: BLE001  # whatever a broken package raises
        return 0.0
    return 1.0


@local_fact
def techniques_lacking(device: str) -> float:
    """How many of the suite's techniques cannot be had on a type of device, such as ``cpu``, for what it lacks."""
    from suite.core.machine.needs import NEEDS, missing_need
    from suite.registry import REGISTRY

    def lacks(needs: object) -> bool:
        texts = [need for need in needs if isinstance(need, str) and need in NEEDS]  # type: ignore[attr-defined]
        return any(missing_need(need, device) for need in texts)

    return float(sum(lacks(one.needs) for one in REGISTRY.techniques.values()))
