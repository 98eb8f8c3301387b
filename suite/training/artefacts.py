"""What is served without a torch module: an engine's file, an estimator, or anything that can be called.

A workload with ``source="artefact"`` gives `artefact(...)` as its recipe. Its files ship as they are, and its answers
are judged and timed like a network's. In the place of the network stands one without weights, which answers by the
files: it is never copied, and what it answers with is never pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from suite.core.errors import SuiteError, UsageError
from suite.training.engines import AnswerForm, EngineCall
from suite.training.executorch_engine import FILE as PROGRAM
from suite.training.executorch_engine import ExecuTorch
from suite.training.exporting import load_aoti
from suite.training.onnx_engine import FILE, ONNXRuntime
from suite.training.openvino_engine import GRAPH, WEIGHTS, OpenVINO
from suite.training.recipe import Recipe, Splits
from suite.training.runtime import Artifact, Predictor

if TYPE_CHECKING:
    from suite.training.trees import Tree

Files = Mapping[str, bytes]
Load = Callable[[Files], Callable[..., Any]]


@dataclass(frozen=True)
class FromFiles:
    """The runtime of files that are there: they ship as they are, and ``load`` or their suffix says what answers."""

    paths: tuple[Path, ...]
    from_files: Load | None = None

    def export(self, network: nn.Module, example: Tree) -> Artifact:
        """The files. Raises `UsageError` for one that cannot be read."""
        del network, example
        files = self.files()
        return Artifact(write=lambda: files)

    def load(self, artifact: Artifact, device: str) -> Predictor:
        """What answers from the files of ``artifact``. Raises `UsageError` for files that cannot be opened."""
        try:
            return self._opened(artifact.files, device)
        except SuiteError:
            raise
        except Exception as error:  # each engine has its own
            raise UsageError(_unopened(artifact.files, error, given=self.from_files is not None)) from error

    def _opened(self, files: Files, device: str) -> Predictor:
        if self.from_files is not None:
            return _called(self.from_files(files))
        for suffix, open_files in OPENED.items():
            if any(name.endswith(suffix) for name in files):
                return open_files(files, device)
        known = ", ".join(OPENED)
        raise UsageError(
            f"no engine is known for {', '.join(files)}; files end with {known}, or give load=, a function "
            "from the bytes of the files to what is called with arrays"
        )

    def files(self) -> dict[str, bytes]:
        """The bytes of each file by its name."""
        try:
            found = {path.name: path.read_bytes() for path in self.paths}
        except OSError as error:
            raise UsageError(f"the artefact {error.filename} cannot be read: {error.strerror}") from error
        if len(found) < len(self.paths):
            raise UsageError(f"two files of an artefact have one name: {', '.join(map(str, self.paths))}")
        return found


class Placeholder(nn.Module):
    """Stands where a network would: no weights, and the answers of the files, which are opened at the first call."""

    def __init__(self, runtime: FromFiles | None = None) -> None:
        super().__init__()
        self.runtime = runtime
        self._opened: list[Predictor] = []

    def forward(self, inputs: Any) -> Any:
        """As the served files answer. Raises `UsageError` in a process that it was sent to."""
        if self.runtime is None:
            raise UsageError("what an artefact answers with is never sent to another process, which opens the files")
        if not self._opened:
            self._opened.append(self.runtime.load(Artifact(write=self.runtime.files), "cpu"))
        return self._opened[0].call(inputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Placeholder:
        """Itself: there is nothing in it that could change."""
        return self

    def __reduce__(self) -> Any:
        """Without what answers, which is never pickled: another process has the recipe, and opens the files itself."""
        return Placeholder, ()


def artefact(
    paths: str | Path | Iterable[str | Path], *, data: Callable[[], Splits], load: Load | None = None
) -> Recipe:
    """The recipe of a workload whose ``source`` is ``artefact``.

    ``paths`` are the files that ship: one of ONNX (``.onnx``), AOTInductor (``.pt2``), ExecuTorch (``.pte``) or joblib
    (``.joblib``), or both of OpenVINO's (``.xml``, ``.bin``). ``load`` makes of their bytes, by name, what is called
    with an array [B, ...] for each input and returns one: for any other file, or for a function without one of its
    own.
    """
    runtime = from_files(paths, load=load)
    return Recipe(data=data, model=lambda: Placeholder(runtime), runtime=runtime)


def from_files(paths: str | Path | Iterable[str | Path], *, load: Load | None = None) -> FromFiles:
    """The runtime of other files, for a technique of the slot ``runtime`` that is compared with a workload's own."""
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    return FromFiles(tuple(map(Path, several)), load)


def _unopened(files: Files, error: Exception, *, given: bool) -> str:
    lines = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
    remedy = "load= raised it" if given else "is the file whole, and written by a version that this engine reads?"
    return f"the artefact {', '.join(files)} cannot be opened ({said}); {remedy}"


def _called(function: Callable[..., Any]) -> Predictor:
    """A function of arrays as a predictor of tensors."""

    def run(given: list[Any]) -> list[Any]:
        return [np.asarray(function(*given))]

    return Predictor(call=EngineCall(run=run, form=AnswerForm.read({})))


def _one(files: Files, suffix: str) -> bytes:
    return next(content for name, content in files.items() if name.endswith(suffix))


def _onnx(files: Files, device: str) -> Predictor:
    return ONNXRuntime(precision=None).load(Artifact(write=lambda: {FILE: _one(files, ".onnx")}), device)


def _openvino(files: Files, device: str) -> Predictor:
    if not any(name.endswith(".bin") for name in files):
        raise UsageError("OpenVINO's .xml has its weights in a .bin of the same name; name both files")
    both = {GRAPH: _one(files, ".xml"), WEIGHTS: _one(files, ".bin")}
    return OpenVINO(precision=None).load(Artifact(write=lambda: both), device)


def _aoti(files: Files, _device: str) -> Predictor:
    return Predictor(call=load_aoti(_one(files, ".pt2")), in_torch=True)


def _executorch(files: Files, device: str) -> Predictor:
    return ExecuTorch(precision=None).load(Artifact(write=lambda: {PROGRAM: _one(files, ".pte")}), device)


def _joblib(files: Files, _device: str) -> Predictor:
    """An estimator's probabilities, or what it predicts. Opening it runs what the file says: open your own alone."""
    import io

    import joblib

    estimator = joblib.load(io.BytesIO(_one(files, ".joblib")))
    return _called(getattr(estimator, "predict_proba", None) or estimator.predict)


OPENED: Mapping[str, Callable[[Files, str], Predictor]] = {
    ".onnx": _onnx,
    ".xml": _openvino,
    ".pt2": _aoti,
    ".pte": _executorch,
    ".joblib": _joblib,
}
"""By the end of a file's name, what opens it."""
