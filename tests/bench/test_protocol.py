"""What travels between a run and its worker processes."""
# the expected value stands on the left

from dataclasses import make_dataclass, replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.bench.workers.protocol import FirstCall, Sent, Speed, WorkerAnswer, WorkerRequest
from suite.core.metrics import measured
from suite.core.records import Cell, Measurement
from suite.core.transport import MessageError, from_line, to_line
from suite.measure.speed import QUICK

CELL = Cell(workload="digits_cnn", technique="narrow(width=0.25)", device="cpu")
SENT = Sent(base="b.pt", technique="t.pt", data="d.pt")
FOUND = measured(
    CELL, "speedup", 1.5, low=1.4, high=1.6, confidence=0.99, n=30, conditions={"batch": 64}, null=1.01,
    same_work=True, note="a note", by_seed=(1.5,),
)  # fmt: skip


def test_a_request_arrives_as_it_was_sent():
    """Budget, bounds and settings with their types."""
    task = Speed(budget=QUICK, seed=3, parts=("inference", "training"), bounds={"speedup": (0.9, 1.1)}, saturating=256)
    sent = WorkerRequest(task=task, cell=CELL, sent=SENT, items=16, load=("mine.py",), flags={"tf32": 1, "kind": "x"})
    line = to_line(sent)
    assert sent == from_line(line, WorkerRequest)


def test_every_field_of_a_measurement_arrives():
    """Those that only some metrics have, too."""
    line = to_line(WorkerAnswer(measurements=(FOUND,)))
    assert (FOUND,) == from_line(line, WorkerAnswer).measurements


def test_a_field_that_is_added_to_a_measurement_is_not_lost():
    """No list of fields stands between the record and the file."""
    kind = make_dataclass("Newer", [("joules", float, 0.0)], bases=(Measurement,), frozen=True, kw_only=True)
    newer = kind(**{name: getattr(FOUND, name) for name in Measurement.__dataclass_fields__}, joules=2.5)
    answer = msgspec.defstruct("Newer", [("measurements", tuple[kind, ...])])
    line = to_line(answer(measurements=(newer,)))
    assert 2.5 == from_line(line, answer).measurements[0].joules


@given(value=st.floats(allow_nan=False), n=st.integers(0, 10**9), note=st.text())
def test_values_arrive_to_the_last_bit(value, n, note):
    """Nothing is rounded on the way."""
    answer = WorkerAnswer(measurements=(replace(FOUND, value=value, n=n, note=note),), value=value)
    assert answer == from_line(to_line(answer), WorkerAnswer)


def test_numbers_of_numpy_arrive_as_pythons():
    """A condition or an interval may be one."""
    found = replace(FOUND, low=np.float64(1.25), n=np.int64(7), conditions={"batch": np.int64(64)})
    line = to_line(WorkerAnswer(measurements=(found,)))
    (arrived,) = from_line(line, WorkerAnswer).measurements
    assert (1.25, 7, {"batch": 64}) == (arrived.low, arrived.n, arrived.conditions)


def test_what_is_no_answer_is_refused():
    """A torn file, or one of another kind."""
    with pytest.raises(MessageError, match="no WorkerAnswer: "):
        from_line('{"measurements": [', WorkerAnswer)
    line = to_line(WorkerRequest(task=FirstCall(), cell=CELL, sent=SENT))
    with pytest.raises(MessageError, match="no Speed: "):
        from_line(line, Speed)


def test_a_field_that_the_reader_does_not_know_is_refused():
    """It would be lost on the way."""
    with pytest.raises(MessageError, match="no WorkerAnswer: it has no field joules"):
        from_line('{"value": 1.0, "joules": 2.5}', WorkerAnswer)
