"""TensorBoard, where it is installed: scalars and traces to it, learning curves from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from suite.analysis.profile.tools import package
from suite.core.errors import UsageError

if TYPE_CHECKING:
    from suite.analysis.advise.curve import Array, Measured
    from suite.analysis.profile.bottleneck import Bottleneck


def require() -> None:
    """Raise `SetupError` with the command that installs TensorBoard."""
    package("tensorboard")


def write(folder: Path, found: Bottleneck, trace: Path) -> None:
    """Shares and seconds of a step as scalars, and the trace where TensorBoard's profiler page looks for it."""
    require()
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for limit, share in found.shares.items():
            writer.add_scalar(f"share/{limit}", share, 0)
        writer.add_scalar("step/seconds", found.step, 0)
    shutil.copyfile(trace, folder / "suite.pt.trace.json")


def read(folder: Path, tag: str) -> tuple[list[float], list[float]]:
    """Steps and values of a scalar, in the order of the steps; a step that was logged again counts with its last.

    Raises `UsageError` for a folder without events or a tag that is not there.
    """
    found = package("tensorboard", "tensorboard.backend.event_processing.event_accumulator")
    events = found.EventAccumulator(str(folder), size_guidance={found.SCALARS: 0, found.TENSORS: 0})
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}; --tensorboard takes the folder that holds the event files")
    events.Reload()
    values = dict(_scalars(events, folder, tag))
    return [float(step) for step in sorted(values)], [values[step] for step in sorted(values)]


def measured(folder: Path, tag: str, *, train: str | None = None, rate: str | None = None) -> Measured:
    """A scalar by its steps, beside that on the training data and the learning rate. Raises as `read`.

    Step 0 is left out: it has no place on a logarithmic axis.
    """
    from suite.analysis.advise.curve import Measured

    steps, values = _numbers(folder, tag)
    after = steps > 0
    notes = () if after.all() else (f"skipped step 0 of {tag}: 0 has no place on a logarithmic axis",)
    beside = {name: _numbers(folder, name) for name in (train, rate) if name}
    return Measured(
        source=str(folder), x="step", y=tag, resource=steps[after], quality=values[after],
        train=beside.get(train or ""), rate=beside.get(rate or ""), notes=notes,
    )  # fmt: skip


def _numbers(folder: Path, tag: str) -> tuple[Array, Array]:
    """Steps and values [n] of a scalar. Raises `UsageError` for a value that is not finite."""
    steps, values = map(np.array, read(folder, tag))
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise UsageError(f"{tag} in {folder} is {values[wrong][0]:g} at step {steps[wrong][0]:g}; leave such steps out")
    return steps, values


def _scalars(events: object, folder: Path, tag: str) -> list[tuple[int, float]]:
    """Of a tag; TensorFlow writes scalars as tensors."""
    tags = events.Tags()  # type: ignore[attr-defined]
    if tag in tags["scalars"]:
        return [(each.step, each.value) for each in events.Scalars(tag)]  # type: ignore[attr-defined]
    if tag in tags["tensors"]:
        numbers = package("tensorboard", "tensorboard.util.tensor_util")
        return [(e.step, float(numbers.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)]  # type: ignore[attr-defined]
    known = sorted({*tags["scalars"], *tags["tensors"]})
    raise UsageError(f"no scalar {tag!r} in {folder}; tags: {', '.join(known) or 'none, it holds no events'}")
