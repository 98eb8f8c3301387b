"""Samples with the options of all three records in one call."""

from dataclasses import fields

from suite.measure.sampler.options import Hooks, Instruments, SamplerOptions
from suite.measure.sampler.timing import sample


def taken(arms, **options):
    """A sample whose ``options`` go to the record that has a field of the name."""
    records = {record: _fields(record, options) for record in (SamplerOptions, Hooks, Instruments)}
    unknown = options.keys() - {name for own in records.values() for name in own}
    assert not unknown, f"no record has {unknown}"
    options, hooks, instruments = (record(**own) for record, own in records.items())
    return sample(arms, options, hooks=hooks, instruments=instruments)


def _fields(record, options):
    return {field.name: options[field.name] for field in fields(record) if field.name in options}
