"""Cells by the name that tables print, or by workload, technique and device."""

from __future__ import annotations

from suite.bench.resolved_cell import Case, case
from suite.core.composition import BASELINE
from suite.core.errors import UsageError
from suite.core.machine.hardware import resolve_device
from suite.registry import Registry


def find_case(
    registry: Registry,
    text: str | None,
    *,
    workload: str | None = None,
    technique: str | None = None,
    device: str | None = None,
) -> Case:
    """The case of ``WORKLOAD-TECHNIQUE-DEVICE``, or of the parts. Raises `UsageError` for both, neither or a wrong one.

    The technique defaults to the baseline and the device to ``auto``.
    """
    if text is not None:
        if workload or technique or device:
            raise UsageError(f"give the cell {text!r} or --workload, --technique and --device, not both")
        workload, technique, device = parts(text)
    if workload is None:
        raise UsageError("name a cell, as in digits_cnn-baseline-cpu, or give --workload")
    found = registry.find_workload(workload)
    return case(registry, found, technique or BASELINE, resolve_device(device or "auto"))


def parts(text: str) -> tuple[str, str, str]:
    """Workload, technique and device of a cell's name; a technique's parameters may hold hyphens themselves."""
    workload, _, rest = text.partition("-")
    technique, _, device = rest.rpartition("-")
    if not (workload and technique and device):
        raise UsageError(f"a cell is WORKLOAD-TECHNIQUE-DEVICE, as in digits_cnn-baseline-cpu; got {text!r}")
    return workload, technique, device
