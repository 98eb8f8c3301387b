"""ExecuTorch: what a program and a trace say, batches that are served in parts, threads that are set once.

The engine is a stand-in here; `tests/catalog/runtimes/test_executorch_programs.py` has the real one.
"""
# the expected value stands on the left

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from suite.core.errors import TechniqueError, UnavailableError, UsageError
from suite.training import executorch_engine
from suite.training.executed import ExecutedProduct, executed
from suite.training.executorch_engine import ProgramCall
from suite.training.executorch_products import Lowered, _delegated, _own, precision_of_kernel

CONVOLUTION, CONNECTED = "Convolution (NHWC, QS8, QC8W) IGEMM #1", "Fully Connected (NC, F32) GEMM #1"


def lowered(**changes):
    plain = {
        "products": [("Convolution", 6400), ("Fully Connected", 640)], "own": [], "delegated": 5, "left": [],
        "items": 64, "fixed": False, "inputs": [],
    }  # fmt: skip
    return Lowered(**{**plain, **changes})


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("Convolution (NHWC, F32) IGEMM #1", "fp32"),
        ("Convolution (NHWC, QC8) DWConv", "int8"),
        (CONVOLUTION, "int8"),
        ("Fully Connected (NC, PQS8, QC8W)", "int8"),
        ("Fully Connected (NC, QD8, F32, QC8W) GEMM", "int8"),
        ("Fully Connected (NC, QP8, F32, QC4W) GEMM", "int8"),
        ("Fully Connected (NC, F32, QC8W) GEMM", "fp32"),
        ("Batch Matrix Multiply (NC, PF32)", "fp32"),
        ("Convolution (NHWC, F16) GEMM #2", "fp16"),
        ("Fully Connected (NC, BF16, F32)", "bf16"),
        ("Max Pooling (NHWC, S8)", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_kernel_multiplies_in_the_type_of_its_activations(kernel, expected):
    """The first type of its name; weights may have fewer bits."""
    assert expected == precision_of_kernel(kernel)


def test_each_product_has_the_precision_of_its_kernel_and_the_work_of_one_item():
    """Other kernels of a trace multiply nothing."""
    own = [ExecutedProduct(precision="fp32", device="CPU", macs=7)]
    found = lowered(own=own).executed(["DELEGATE_CALL", "Convert (NC, F32, QS8) #1", CONVOLUTION, CONNECTED])
    assert [("int8", "XNNPACK", 100), ("fp32", "XNNPACK", 10), ("fp32", "CPU", 7)] == [
        (one.precision, one.device, one.macs) for one in found
    ]


@pytest.mark.parametrize("kernels", [[], [CONVOLUTION], [CONNECTED, CONVOLUTION], [CONVOLUTION, CONNECTED, CONNECTED]])
def test_a_trace_that_does_not_fit_the_program_tells_nothing(kernels):
    """An engine without a trace, or one that merges operators: no label is confirmed by it."""
    found = lowered().executed(kernels)
    assert ["unknown", "unknown"] == [one.precision for one in found]
    with pytest.raises(TechniqueError, match=r"mislabelled: executorch was to compute in int8, .* unknown on XNNPACK"):
        executed("executorch", "1.5", "int8", found)


def test_operators_that_were_delegated_are_counted_and_the_others_named():
    """In the note of the cell."""
    assert "5 operators by XNNPACK, 0 not" == str(lowered())
    left = ["aten::mm.out", "aten::embedding.out", "aten::mm.out"]
    assert "5 operators by XNNPACK, 3 not (aten::embedding.out, aten::mm.out)" == str(lowered(left=left))


def tensor(name, dims):
    value = {"id_out": name, "dims": dims}
    return {"xvalue_union": value if name % 2 else {"tensor_value": value, "quant_params": {}}}


def convolution(**changes):
    plain = {"kernel_height": 3, "kernel_width": 2, "group_input_channels": 5, "group_output_channels": 7}
    return {**plain, "input1_id": 1, "output_id": 2, **changes}


@pytest.mark.parametrize(
    ("kind", "node", "expected"),
    [
        ("XNNConv2d", convolution(), ("Convolution", 2 * 4 * 4 * 7 * 30)),
        ("XNNDepthwiseConv2d", convolution(group_input_channels=1), ("Convolution", 2 * 4 * 4 * 7 * 6)),
        ("XNNConvTranspose2d", convolution(), ("Deconvolution", 2 * 6 * 5 * 5 * 42)),
        ("XNNFullyConnected", {"input1_id": 3, "output_id": 4}, ("Fully Connected", 2 * 9 * 8)),
        ("XNNBatchMatrixMultiply", {"input1_id": 5, "output_id": 6}, ("Batch Matrix Multiply", 2 * 3 * 7 * 4)),
        (
            "XNNScaledDotProductAttention",
            {"query_id": 5, "key_id": 5, "value_id": 6},
            ("Scaled Dot-Product Attention", 2 * 3 * 3 * (4 + 7)),
        ),
    ],
)
def test_the_work_of_a_delegate_follows_from_its_shapes(kind, node, expected):
    """Convolutions have their channels last."""
    shapes = {1: [2, 6, 5, 5], 2: [2, 4, 4, 7], 3: [2, 8], 4: [2, 9], 5: [2, 3, 4], 6: [2, 3, 7]}
    graph = {
        "xvalues": [tensor(name, dims) for name, dims in shapes.items()],
        "xnodes": [
            {"xnode_union_type": "XNNClamp", "xnode_union": {}},
            {"xnode_union_type": kind, "xnode_union": node},
        ],
    }
    assert [expected] == list(_delegated(graph))


def value(*sizes, scalar="FLOAT"):
    return SimpleNamespace(sizes=list(sizes), scalar_type=SimpleNamespace(name=scalar))


def flag(is_true):
    return SimpleNamespace(bool_val=is_true)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("aten::mm.out", [value(2, 3), value(3, 5), value(2, 5)], ("fp32", 15)),
        ("aten::addmm.out", [value(5), value(2, 3), value(3, 5), None, None, value(2, 5)], ("fp32", 15)),
        ("aten::bmm.out", [value(2, 4, 3, scalar="HALF"), value(2, 3, 5), value(2, 4, 5)], ("fp16", 60)),
        (
            "aten::convolution.out",
            [value(2, 3, 4, 4), value(7, 3, 1, 1), None, None, None, None, flag(False), value(2, 7, 4, 4)],
            ("fp32", 7 * 16 * 3),
        ),
        (
            "aten::convolution.out",
            [value(2, 3, 4, 4), value(3, 7, 2, 2), None, None, None, None, flag(True), value(2, 7, 8, 8)],
            ("fp32", 3 * 16 * 28),
        ),
    ],
)
def test_the_work_that_no_delegate_took_is_counted_too(name, values, expected):
    """Of one item, in the type of its tensors."""
    (found,) = _own(name, values, 2)
    assert (*expected, "CPU") == (found.precision, found.macs, found.device)
    assert [] == list(_own("aten::embedding.out", values, 2))


class Doubled:
    """A program that doubles its input and keeps the sizes of its calls."""

    def __init__(self):
        self.sizes = []

    def load_method(self, name):
        assert "forward" == name
        return self

    def execute(self, inputs):
        self.sizes.append(len(inputs[0]))
        return [inputs[0] * 2]


@pytest.fixture
def program(monkeypatch):
    made = Doubled()
    monkeypatch.setattr(executorch_engine, "_program", lambda _: made)
    return made


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (8, [8]), (64, [64]), (65, [64, 1]), (150, [64, 64, 22])])
def test_a_batch_beyond_the_programs_is_served_in_parts(program, count, sizes):
    """Any other one in one call."""
    inputs = np.arange(count * 3, dtype="float32").reshape(count, 3)
    (found,) = ProgramCall(b"", lowered())([inputs])
    assert sizes == program.sizes
    assert torch.equal(torch.from_numpy(inputs * 2), found)


def test_a_program_of_one_size_refuses_another_batch_with_its_own(program):
    """Whole multiples are served in parts."""
    call = ProgramCall(b"", lowered(items=4, fixed=True))
    with pytest.raises(UsageError, match="batches of exactly 4 items, got 1; export it with a dynamic first"):
        call([np.zeros((1, 3), dtype="float32")])
    assert 8 == len(call([np.zeros((8, 3), dtype="float32")])[0])
    assert [4, 4] == program.sizes


class Pool:
    """The library's functions for its thread pool, with as many threads as this machine has cores."""

    def __init__(self, *, obeys=True):
        self.threads, self.obeys, self.resets = 16, obeys, []

    def _threadpool_get_thread_count(self):
        return self.threads

    def _unsafe_reset_threadpool(self, count):
        self.resets.append(count)
        self.threads = count if self.obeys else self.threads


@pytest.fixture
def pool(monkeypatch):
    def install(**given):
        made = Pool(**given)
        package = SimpleNamespace(portable_lib=made)
        for name in ("executorch", "executorch.extension", "executorch.extension.pybindings"):
            monkeypatch.setitem(sys.modules, name, package)
        monkeypatch.setattr(executorch_engine, "_sizes_set", [])
        return made

    return install


def test_the_pool_is_set_once_to_the_threads_of_the_process(pool):
    """It follows no environment variable."""
    made = pool()
    for _ in range(3):
        executorch_engine._use_threads(2)
    assert ([2], 2) == (made.resets, made.threads)


def test_a_pool_that_has_other_threads_is_unavailable_with_the_reason(pool):
    """It did not obey, or was set for another number before."""
    pool(obeys=False)
    with pytest.raises(UnavailableError, match=r"thread pool of executorch has 16 threads and torch has 1; .* once"):
        executorch_engine._use_threads(1)
    pool()
    executorch_engine._use_threads(1)
    with pytest.raises(UnavailableError, match="has 1 threads and torch has 2"):
        executorch_engine._use_threads(2)


def test_operators_without_a_kernel_are_named(monkeypatch):
    """The engine would end with a number when the program is loaded."""
    runtime = SimpleNamespace(
        get=lambda: SimpleNamespace(operator_registry=SimpleNamespace(operator_names={"aten::mm.out"}))
    )
    monkeypatch.setitem(sys.modules, "executorch", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "executorch.runtime", SimpleNamespace(Runtime=runtime))
    names = ["aten::mm.out", "aten::lgamma.out"]
    monkeypatch.setattr(executorch_engine, "read", lambda _: lowered(left=names))
    with pytest.raises(UnavailableError, match=r"has no kernel for aten::lgamma.out, which this network needs"):
        executorch_engine._check_kernels(b"")
    monkeypatch.setattr(executorch_engine, "read", lambda _: lowered(left=names[:1]))
    executorch_engine._check_kernels(b"")


def test_an_error_is_told_by_its_cause_and_its_first_line_with_text():
    """The engine's passes wrap errors, and some messages begin with an empty line."""
    error = RuntimeError("a pass failed")
    error.__cause__ = AssertionError("\n  no kernel for lgamma\nthings to try")
    assert "AssertionError: no kernel for lgamma" == executorch_engine._reason(error)
    assert "ValueError" == executorch_engine._reason(ValueError())


def test_the_root_logger_keeps_its_handlers():
    """An import of the engine adds one."""
    before, added = list(logging.root.handlers), logging.NullHandler()
    with executorch_engine._silent():
        logging.root.addHandler(added)
    assert before == logging.root.handlers
