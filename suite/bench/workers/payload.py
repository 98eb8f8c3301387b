"""What a worker process is sent: finished networks and data, each written once however many workers read it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from suite.bench.resolved_cell import Case
from suite.bench.workers.protocol import Sent
from suite.core.errors import SuiteError
from suite.measure.integrity.outputs import Judged
from suite.registry import FROM_FILE
from suite.training.loop import Trained
from suite.training.recipe import Split, Splits
from suite.training.trees import tree_map

TRAINING_ITEMS, OTHER_ITEMS = 4096, 1024  # enough for a step, calibration and a served batch


class ParcelError(SuiteError):
    """A network or its data cannot be sent to another process."""


@dataclass(kw_only=True)
class Parcels:
    """Writes networks and data into ``folder``; the same object is written once."""

    folder: Path
    _written: dict[tuple[str, str], tuple[object, Path]] = field(default_factory=dict)

    def of(self, case: Case, base: Trained, technique: Trained, judged: Mapping[str, Judged] | None = None) -> Sent:
        """The paths of the baseline's network, the technique's and the data, as a request has them.

        ``judged`` are the outputs, by arm, that a worker's timed calls have to agree with.
        """
        data = base.recipe.data()
        wanted: dict[str, tuple[object, Any]] = {
            "base": (base.network, base.network),
            "technique": (technique.network, technique.network),
            "data": (data.train.inputs, data),
        }
        if judged is not None:
            wanted["judged"] = (judged, dict(judged))
        return Sent(**{name: str(self._path(case, name, *found)) for name, found in wanted.items()})

    def forget(self, workload: str | None) -> None:
        """Let go of what was written, but for the baseline and the data of ``workload``, which are sent again.

        Held only to be recognised, networks would fill an accelerator's memory.
        """
        kept = {(workload, name) for name in ("base", "data")}
        self._written = {key: found for key, found in self._written.items() if key in kept}

    def _path(self, case: Case, name: str, identity: object, content: Any) -> Path:
        key = (case.workload.name, name)
        if key not in self._written or self._written[key][0] is not identity:
            path = self.folder / f"{case.workload.name}-{name}.pt"
            write(path, _shortened(content) if isinstance(content, Splits) else content, str(case))
            self._written[key] = (identity, path)
        return self._written[key][1]


def write(path: Path, content: nn.Module | Splits | Mapping[str, Judged], about: str) -> None:
    """Pickle a finished network or data. What a user's file declares travels by value: a worker may lack its name."""
    import cloudpickle

    by_value = [
        module for name, module in list(sys.modules.items()) if name.startswith(FROM_FILE) or name == "conftest"
    ]
    for module in by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        torch.save(content, path, pickle_module=cloudpickle)
    except Exception as error:
        raise ParcelError(f"{about} cannot be sent to another process: {type(error).__name__}: {error}") from error
    finally:
        for module in by_value:
            cloudpickle.unregister_pickle_by_value(module)


def read(path: str, device: str) -> Any:
    """What `write` wrote, on ``device``. Only this run's own files are read: unpickling runs code."""
    return torch.load(path, map_location=device, weights_only=False)


def _shortened(data: Splits) -> Splits:
    parts = {"train": data.train.first(TRAINING_ITEMS), "test": data.test.first(OTHER_ITEMS)}
    validation = None if data.validation is None else _on_host(data.validation.first(OTHER_ITEMS))
    return Splits(**{name: _on_host(part) for name, part in parts.items()}, validation=validation)


def _on_host(part: Split) -> Split:
    """A copy: a slice would be written with the whole storage behind it."""
    inputs, targets = (tree_map(lambda leaf: leaf.cpu().clone(), tree) for tree in (part.inputs, part.targets))
    return Split(inputs=inputs, targets=targets, ids=part.ids)
