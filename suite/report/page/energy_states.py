"""Energies of a cell on the page: values of valid readings alone, and in words what became of the reading."""

from __future__ import annotations

from suite.core.metrics import ENERGIES, ENERGY
from suite.core.records import RunHeader
from suite.report.columns import Row

VALID = "valid"
ABSENT = "absent: "


def energies(row: Row, header: RunHeader) -> Row:
    """The joules of a row, `None` where a reading is invalid, with ``energy_state`` and ``training_energy_state``.

    A state is ``valid``, ``invalid: ...`` or ``absent: ...`` with the reason.
    """
    valid = {name: None if row.get(f"{name}_suspect") else row.get(name) for name in ENERGIES}
    quick = header.profile == "quick"
    unread = "a quick run reads no energy of items" if quick else "the cell was not timed"
    untrained = "this run did not train the cell, or several ranks did"
    return valid | {
        "energy_state": _state(row, ENERGY, header.energy, unread),
        "training_energy_state": _state(row, "energy_per_epoch", header.energy, untrained),
    }


def _state(row: Row, name: str, counters: str, otherwise: str) -> str:
    """``counters`` are the header's: those of the device, or why it has none."""
    if row.get(name) is not None:
        return row.get(f"{name}_suspect") or VALID
    if counters.startswith(ABSENT):
        return counters
    return ABSENT + (otherwise if counters else "the run does not say why")
