"""The parts of an entry beside its value and bounds: noise, conditions, values by seed and machine, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suite.core.records import XFail

if TYPE_CHECKING:
    from suite.core.toml_section import Section


def noise(section: Section) -> float | None:
    """The standard deviation of the entry; none where it has none."""
    value = section.number("noise")
    if value is not None and value < 0:
        raise section.fault(f"noise is a standard deviation and cannot be {value!r}; correct or remove it", "noise")
    return value


def conditions(section: Section | None) -> dict[str, int | str]:
    """What the figure depends on beside the machine: whole numbers and texts by name."""
    if section is None:
        return {}
    for key, value in section.data.items():
        if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
            raise section.fault(
                f"{key} must be a whole number or a text, not {value!r}; write it as in conditions = {{ batch = 64 }}",
                key,
            )
    return dict(section.data)


def by_seed(section: Section | None) -> dict[int, float]:
    """The value of each seed."""
    if section is None:
        return {}
    for key in section.data:
        if not (key.isascii() and key.isdecimal() and str(int(key)) == key):
            raise section.fault(f'{key!r} is no seed; write whole numbers, as in by_seed = {{ "0" = 0.99 }}', key)
    return {int(key): value for key, value in _numbers(section).items()}


def seen(section: Section | None) -> dict[str, float]:
    """The value on each machine by its key, or in each run of one machine by its start."""
    return _numbers(section)


def fingerprint(section: Section | None) -> dict[str, int]:
    """What a count is made of: how often each operator, graph break or kernel is there, by its name."""
    if section is None:
        return {}
    counts = {key: section.count(key) for key in section.data}
    return {key: count for key, count in counts.items() if count is not None}  # TOML has no null


def xfail(section: Section | None) -> XFail | None:
    """The mark of a known failure; both of its fields are required."""
    if section is None:
        return None
    section.allow(("reason", "until"))
    reason, until = section.text("reason"), section.day("until")
    if reason is None or until is None:
        raise section.fault('xfail needs both, as in xfail = { reason = "torch issue 123", until = 2026-12-31 }')
    return XFail(reason=reason, until=until)


def only(section: Section) -> tuple[str, ...]:
    """The device types that have to answer the entry; none for all."""
    devices = section.texts("only")
    for device in devices:
        if ":" in device:
            raise section.fault(f"only names device types; write {device.partition(':')[0]!r}, not {device!r}", "only")
    return devices


def _numbers(section: Section | None) -> dict[str, float]:
    if section is None:
        return {}
    numbers = {key: section.number(key) for key in section.data}
    return {key: number for key, number in numbers.items() if number is not None}  # TOML has no null
