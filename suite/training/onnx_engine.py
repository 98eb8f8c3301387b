"""ONNX Runtime on the CPU: the network as an ONNX file, in float32 or in 8 bits.

https://onnxruntime.ai. The file is made by torch's exporter for any number of items, and is all that ships. Graph
optimizations are the runtime's own; threads are those of the process. Static quantization puts quantize and dequantize
nodes around products (QDQ: weights of 8 bits for each channel, activations of 8 bits by their range on training
inputs), dynamic quantization measures activations at each call. The precision that is reported is that of the
kernels which ran.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from suite.core.errors import UnavailableError
from suite.training.engines import AnswerForm, Array, EngineCall, calibration_batches, missing, quiet
from suite.training.executed import Executed, executed
from suite.training.exporting import export
from suite.training.onnx_products import executed_products
from suite.training.runtime import Artifact, Predictor

if TYPE_CHECKING:
    from suite.training.trees import Tree

FILE, OPTIMIZED, PLAIN = "network.onnx", "optimized.onnx", "plain.onnx"
PACKAGES = ("onnxruntime", "onnx", "onnxscript")
Quantize = Callable[[Path, Path], None]


def installed(case: Any) -> str | None:
    """Why the cell cannot run: a package or the device."""
    return missing(case.cell.device, PACKAGES, "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class ONNXRuntime:
    """Exports a network to ONNX and runs the file; ``quantize`` makes an 8-bit file of the plain one.

    ``precision`` is ``None`` for a file that promises none.
    """

    precision: str | None = "fp32"
    quantize: Quantize | None = None

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """The ONNX file. Raises `UnavailableError` for an operator that has no ONNX form."""
        form = AnswerForm.of(network, example)
        with TemporaryDirectory() as folder:
            plain, path = Path(folder) / PLAIN, Path(folder) / FILE
            _write(network, example, plain)
            if self.quantize is None:
                plain.rename(path)
            else:
                with quiet():
                    self.quantize(plain, path)
            content = path.read_bytes()
        return Artifact(write=lambda: {FILE: content, **form.files()})

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """A session of one stream with the threads of this process. Raises `TechniqueError` for another precision."""
        del device
        session, ran = _session(artifact.files[FILE], self.precision)
        names = [one.name for one in session.get_inputs()]

        def run(given: list[Array]) -> list[Array]:
            found: list[Array] = session.run(None, dict(zip(names, given, strict=True)))
            return found

        return Predictor(call=EngineCall(run=run, form=AnswerForm.read(artifact.files)), executed=ran)


def _write(network: nn.Module, example: Tree, path: Path) -> None:
    """The network as one ONNX file with its weights inside."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = export(network, example)
        try:
            made = torch.onnx.export(program, dynamo=True, verbose=False)
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            raise UnavailableError(f"ONNX cannot express this network ({said})") from error
        assert made is not None  # noqa: S101  # without a file it returns the program
        made.save(str(path), external_data=False)


def _session(content: bytes, wanted: str | None) -> tuple[Any, Executed]:
    """A session, and what its kernels compute in: those of its first call, which is profiled."""
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.log_severity_level = 3  # errors
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / OPTIMIZED)
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "profile")
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
        products = executed_products(session, graph, "CPU")
    return session, executed("onnxruntime", ort.__version__, wanted, products)


def dynamic(plain: Path, path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(plain, path, weight_type=QuantType.QInt8, per_channel=True)


def static(inputs: Callable[[], Tree], plain: Path, path: Path) -> None:
    import onnxruntime as ort
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    names = [one.name for one in ort.InferenceSession(plain, providers=["CPUExecutionProvider"]).get_inputs()]
    batches: Iterator[list[Array]] = calibration_batches(inputs())

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # untyped
        def get_next(self) -> dict[str, Array] | None:
            found = next(batches, None)
            return None if found is None else dict(zip(names, found, strict=True))

    prepared = plain.with_name("prepared.onnx")
    quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        prepared, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
