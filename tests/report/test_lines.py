"""Records as lines: a brief record says the same as a whole one, and is refused for the same reasons."""
# the expected value stands on the left

import gc
import json

import pytest
from hypothesis import given, settings
from msgspec import structs
from test_run_folder import CELL, FAILURE, SPEED, VERDICT, measurements, verdicts

from suite.core.garbage import uncollected
from suite.core.records import Measurement
from suite.report.results.lines import BriefMeasurement, BriefVerdict, decode, decode_brief, encode

KEPT = ("kind", "cell", "metric", "group", "reason", "stale", "detectable", "shape", "sweep", "code", "threshold")


@settings(deadline=None, max_examples=50)
@given(verdict=verdicts)
def test_a_brief_verdict_has_the_fields_of_the_whole_one(verdict):
    """Tables that read briefly show what tables of whole records would."""
    line = encode(verdict).encode()
    brief = decode_brief(line)
    assert isinstance(brief, BriefVerdict)
    assert [getattr(verdict, name) for name in KEPT] == [getattr(brief, name) for name in KEPT]


@settings(deadline=None, max_examples=50)
@given(measurement=measurements)
def test_a_brief_measurement_has_all_fields_of_the_whole_one(measurement):
    """With equal values, and so it has where a line leaves them to their defaults."""
    brief = decode_brief(encode(measurement).encode())
    assert isinstance(brief, BriefMeasurement)
    assert decode(encode(measurement)) == Measurement(**structs.asdict(brief))
    needed = ("cell", "metric", "value", "unit", "better", "tier", "group")
    short = {"type": "measurement"} | {name: json.loads(encode(measurement))[name] for name in needed}
    line = json.dumps(short).encode()
    assert decode(line) == Measurement(**structs.asdict(decode_brief(line)))


def test_other_records_are_read_whole():
    """Only verdicts and measurements are many."""
    assert FAILURE == decode_brief(encode(FAILURE).encode())


def test_a_line_that_another_program_spaced_is_read_all_the_same():
    """The beginning of a line is a shortcut, not a condition."""
    line = encode(VERDICT).replace(": ", ":").replace(", ", ",").encode()
    assert (CELL, "speedup") == (decode_brief(line).cell, decode_brief(line).metric)


@pytest.mark.parametrize("read", [decode, decode_brief])
def test_a_measurement_with_an_unknown_field_is_refused(read):
    """In the same words, however it is read."""
    with pytest.raises(ValueError, match="a Measurement of this version has no 'nois'; a newer version wrote it"):
        read(encode(SPEED).replace('"noise"', '"nois"').encode())


@pytest.mark.parametrize("read", [decode, decode_brief])
def test_a_verdict_with_an_unknown_field_is_refused(read):
    """A newer version wrote it, and what it means is not known here."""
    line = encode(VERDICT).replace('"stale"', '"stole"').encode()
    with pytest.raises(ValueError, match="stole"):
        read(line)


def test_the_search_for_garbage_is_as_before_after_a_pause():
    """Also if the body fails, and if somebody else had switched it off."""
    with uncollected():
        assert not gc.isenabled()
        with pytest.raises(KeyError), uncollected():
            raise KeyError
        assert not gc.isenabled()
    assert gc.isenabled()
