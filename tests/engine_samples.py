"""A small run of engines: figures and what ran them."""

from dataclasses import replace

from samples import header, measured

HEADER = replace(
    header(), runtimes=("openvino", "openvino_int8", "compiled"), precisions={"static_int8": "int8"},
    families={"openvino": "runtimes", "openvino_int8": "runtimes", "compiled": "compilation"},
)  # fmt: skip


def served(technique, value, precision=None):
    speed = measured(technique, "speedup", value, low=value * 0.9, high=value * 1.1, conditions={"batch": 64})
    if precision is None:
        return [speed]
    macs = {f"{precision} on CPU": 90, "fp64 on CPU": 10}
    share = measured(technique, "labelled_share", 0.9, fingerprint=macs, conditions={"engine": "openvino"})
    return [speed, share]


ENGINES = [*served("openvino", 3.0, "fp32"), *served("openvino_int8", 6.0, "int8"), *served("static_int8", 2.0)]
