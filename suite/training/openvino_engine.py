"""OpenVINO on the CPU: the network in its intermediate representation, in float32, bfloat16 or 8 bits.

https://docs.openvino.ai. Its own default precision on some CPUs is bfloat16, so each of the techniques asks for one and
reads off the executed graph what its products really run in. The 8-bit network is made by NNCF from the converted one,
with ranges of training inputs. One stream, as many threads as the process.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from suite.core.errors import UnavailableError
from suite.training.engines import (
    AnswerForm,
    Array,
    EngineCall,
    arrays,
    calibration_batches,
    missing,
    quiet,
)
from suite.training.executed import executed
from suite.training.openvino_products import executed_products
from suite.training.runtime import Artifact, Predictor

if TYPE_CHECKING:
    from suite.training.trees import Tree

GRAPH, WEIGHTS = "network.xml", "network.bin"
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}  # of what is not quantized


def installed(case: Any) -> str | None:
    """Why the cell cannot run: the package or the device."""
    return missing(case.cell.device, ("openvino",), "openvino")


def installed_with_nncf(case: Any) -> str | None:
    """Why the cell cannot run: a package or the device."""
    return missing(case.cell.device, ("openvino", "nncf"), "openvino")


@dataclass(frozen=True, kw_only=True)
class OpenVINO:
    """Converts a network and runs the converted files; with ``calibration`` inputs, quantized.

    ``precision`` is ``None`` for the engine's own choice.
    """

    precision: str | None = "fp32"
    calibration: Callable[[], Tree] | None = None

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """Graph and weights. Raises `UnavailableError` where the network cannot be converted."""
        form = AnswerForm.of(network, example)
        with quiet():
            model = _converted(network, example)
            if self.calibration is not None:
                model = _quantized(model, self.calibration())
        files = _files(model)
        return Artifact(write=lambda: {**files, **form.files()})

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """An infer request of one stream. Raises `TechniqueError` where the products run in another precision."""
        del device
        import openvino as ov

        core = ov.Core()
        hint = {} if self.precision is None else {"INFERENCE_PRECISION_HINT": HINTS[self.precision]}
        options = {
            **hint,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "NUM_STREAMS": 1,
        }
        model = core.read_model(model=artifact.files[GRAPH], weights=artifact.files[WEIGHTS])
        compiled = core.compile_model(model, "CPU", options)
        ran = executed("openvino", ov.__version__.partition("-")[0], self.precision, executed_products(compiled, model))
        request = compiled.create_infer_request()

        def run(given: list[Array]) -> list[Array]:
            found = request.infer(given, share_inputs=True)
            return list(found.values())

        return Predictor(call=EngineCall(run=run, form=AnswerForm.read(artifact.files)), executed=ran)


def _converted(network: nn.Module, example: Tree) -> Any:
    """The network with a free number of items; all other sizes are the example's.

    It is traced: a program of torch.export makes all sizes free. Attention's fast path has no converted form.
    """
    import openvino as ov

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it traces by a deprecated function
            model = ov.convert_model(network, example_input=example)
        model.reshape({one: [-1, *array.shape[1:]] for one, array in zip(model.inputs, arrays(example), strict=True)})
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UnavailableError(f"OpenVINO cannot convert this network ({said})") from error
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    return model


def _quantized(model: Any, inputs: Tree) -> Any:
    import nncf

    batches = [found[0] if len(found) == 1 else tuple(found) for found in calibration_batches(inputs)]
    with redirect_stdout(io.StringIO()):  # it draws bars
        return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))


def _files(model: Any) -> dict[str, bytes]:
    import openvino as ov

    with TemporaryDirectory() as folder:
        ov.save_model(model, str(Path(folder) / GRAPH), compress_to_fp16=False)
        return {name: (Path(folder) / name).read_bytes() for name in (GRAPH, WEIGHTS)}
