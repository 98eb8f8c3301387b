"""ExecuTorch on the CPU: the network as one program whose operators XNNPACK computes, in float32 or in 8 bits.

https://docs.pytorch.org/executorch. XNNPACK takes the operators that it has kernels for; the engine's own kernels
compute the rest. Quantization is PT2E: weights of 8 bits for each channel, activations of 8 bits by their range on
training inputs. One program serves any batch up to `LARGEST_BATCH`; a larger one is served in parts. The engine's
thread pool does not follow OMP_NUM_THREADS: it is given the threads of the process, once.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from suite.core.errors import UnavailableError, UsageError
from suite.training.copying import copied
from suite.training.engines import CALIBRATION_BATCH, AnswerForm, Array, EngineCall, missing, quiet
from suite.training.executed import executed
from suite.training.executorch_products import Lowered, read
from suite.training.exporting import export
from suite.training.runtime import Artifact, Predictor
from suite.training.trees import fill_up, split, tree_map

if TYPE_CHECKING:
    from suite.training.trees import Tree

FILE, METHOD = "network.pte", "forward"
PACKAGES = ("executorch", "torchao")
LARGEST_BATCH = 64  # what lies between XNNPACK's operators is planned for this many items, and held


def installed(case: Any) -> str | None:
    """Why the cell cannot run: a package or the device."""
    return missing(case.cell.device, PACKAGES, "executorch")


@dataclass(frozen=True, kw_only=True)
class ExecuTorch:
    """Lowers a network to a program and runs it; with ``calibration`` inputs, quantized.

    ``precision`` is ``None`` for a program that promises none.
    """

    precision: str | None = "fp32"
    calibration: Callable[[], Tree] | None = None

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """The program. Raises `UnavailableError` for a network that cannot be traced, or operators without a kernel.

        It is traced with the largest batch: torch chooses convolutions by the size of the example, and would bound a
        program that was traced with 2 items by 15.
        """
        form = AnswerForm.of(network, example)
        example = tree_map(lambda leaf: leaf.detach().cpu().contiguous(), example)
        with _silent():
            network = copied(network).to(memory_format=torch.contiguous_format)  # XNNPACK transposes by itself
            if self.calibration is not None:
                network = _quantized(network, example, self.calibration())
            content = _lowered(export(network, fill_up(example, LARGEST_BATCH), largest=LARGEST_BATCH))
        return Artifact(write=lambda: {FILE: content, **form.files()})

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """A program with the threads of this process. Raises `TechniqueError` where most runs in another precision."""
        del device
        content = artifact.files[FILE]
        with _silent():
            _use_threads(torch.get_num_threads())
            lowered = read(content)
            products = lowered.executed(_kernels(content, lowered))
            call = ProgramCall(content, lowered)
        ran = executed("executorch", version("executorch"), self.precision, products)
        return Predictor(
            call=EngineCall(run=call, form=AnswerForm.read(artifact.files)),
            executed=replace(ran, remark=str(lowered)),
        )


class ProgramCall:
    """A loaded program as a function of arrays; a batch that is larger than the program's is served in parts."""

    def __init__(self, content: bytes, lowered: Lowered) -> None:
        self._lowered = lowered
        self._program = _program(content)
        self._method = self._program.load_method(METHOD)

    def __call__(self, given: list[Array]) -> list[Any]:
        """Outputs [B, ...] of inputs [B, ...]. Raises `UsageError` for a batch that a program of one size refuses."""
        count, largest = len(given[0]), self._lowered.items
        if self._lowered.fixed and count % largest:
            raise UsageError(
                f"the program was exported for batches of exactly {largest} items, got {count}; export it with a "
                "dynamic first dimension"
            )
        if count <= largest:
            return self._run(given)
        parts = [self._run([array[at : at + largest] for array in given]) for at in range(0, count, largest)]
        return [torch.cat(columns) for columns in zip(*parts, strict=True)]

    def _run(self, given: list[Array]) -> list[Any]:
        return list(self._method.execute([torch.from_numpy(array) for array in given]))


@contextmanager
def _silent() -> Iterator[None]:
    """The engine warns of its own use, and its parts of deprecated functions of torch; its import sets up logging."""
    handlers = list(logging.root.handlers)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.root.handlers[:] = handlers


def _use_threads(count: int) -> None:
    """Give the engine's thread pool ``count`` threads and read them back.

    Raises `UnavailableError` if it has others. The pool is set once in a process: it is shared by all programs, and
    is not meant to be replaced while one holds it.
    """
    from executorch.extension.pybindings import portable_lib as library

    if not _sizes_set:
        library._unsafe_reset_threadpool(count)  # noqa: SLF001  # no public name sets it
        _sizes_set.append(count)
    found = library._threadpool_get_thread_count()  # noqa: SLF001  # nor reads it
    if found != count:
        raise UnavailableError(
            f"the thread pool of executorch has {found} threads and torch has {count}; it is set once in a process, so "
            "start one for each number of threads"
        )


_sizes_set: list[int] = []


def _program(content: bytes, *, traced: bool = False) -> Any:
    from executorch.runtime import Runtime

    return Runtime.get().load_program(content, enable_etdump=traced)


def _kernels(content: bytes, lowered: Lowered) -> list[str]:
    """The names of the kernels of one traced call with zeros, in their order."""
    from executorch.devtools.etdump.serialize import deserialize_from_etdump_flatcc

    program = _program(content, traced=True)
    program.load_method(METHOD).execute([torch.zeros(shape, dtype=kind) for shape, kind in lowered.inputs])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.etdp"
        program.write_etdump_result_to_file(str(path), "")
        trace = deserialize_from_etdump_flatcc(path.read_bytes())
    events = [event.profile_event for run in trace.run_data for event in run.events or ()]
    return [str(event.delegate_debug_id_str or event.name) for event in events if event is not None]


def _quantized(network: nn.Module, example: Tree, inputs: Tree) -> nn.Module:
    """The network with quantize and dequantize operators around its products, by ranges of training ``inputs``."""
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(export(network, example).module(), quantizer)
    with torch.no_grad():
        for part in split(inputs, CALIBRATION_BATCH):
            prepared(part)
    quantized: nn.Module = convert_pt2e(prepared)
    return quantized


def _lowered(program: Any) -> bytes:
    """The program's bytes. Inputs are read where they are, so that nothing is planned for them."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import ExecutorchBackendConfig, to_edge_transform_and_lower
    from executorch.exir.passes import MemoryPlanningPass

    planning = ExecutorchBackendConfig(memory_planning_pass=MemoryPlanningPass(alloc_graph_input=False))
    try:
        content = bytes(
            to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()]).to_executorch(planning).buffer
        )
    except Exception as error:
        raise UnavailableError(f"ExecuTorch cannot lower this network ({_reason(error)})") from error
    _check_kernels(content)
    return content


def _reason(error: BaseException) -> str:
    """The first line with text of the error that caused the others."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _check_kernels(content: bytes) -> None:
    """Raise `UnavailableError` for operators that the engine has no kernel for; it would say so in numbers."""
    from executorch.runtime import Runtime

    absent = set(read(content).left) - Runtime.get().operator_registry.operator_names
    if absent:
        raise UnavailableError(f"ExecuTorch has no kernel for {', '.join(sorted(absent))}, which this network needs")
