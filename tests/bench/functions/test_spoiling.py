"""What is overwritten of an answer, and that all of it is put back."""
# the expected value stands on the left

import numpy as np
import pytest
import torch

from suite.bench.functions.spoiling import spoilt


def views_of_an_array():
    data = np.arange(10.0)
    return data, (data, data[:5])


def views_of_a_tensor():
    data = torch.arange(10.0)
    return data, [data[3:], data, data[:5]]


def one_list_twice():
    data = [1.0, 2.0, 3.0]
    return data, [data, data]


@pytest.mark.parametrize("make", [views_of_an_array, views_of_a_tensor, one_list_twice])
def test_two_views_of_one_buffer_are_put_back(make):
    """What was saved of the second one must not be what was written to the first."""
    data, answer = make()
    before = list(data)
    with spoilt(answer) as skipped:
        assert all(value != value for value in data)  # noqa: PLR0124
    assert ([], before) == (skipped, list(data))


def read_only():
    made = np.ones(3)
    made.flags.writeable = False
    return made


def inference():
    with torch.inference_mode():
        return torch.ones(3)


@pytest.mark.parametrize(
    "make",
    [
        read_only,
        inference,
        lambda: torch.ones(1).expand(3),
        lambda: torch.ones(3, requires_grad=True),
        lambda: torch.tensor([True, True]),
        lambda: [np.int64(1), 2.0],
        lambda: {"a": 1.0},
        lambda: {"a": "text"},
    ],
    ids=["read only", "inference", "expanded", "grad", "bool", "integers", "dictionary", "text"],
)
def test_what_looks_unwriteable_is_overwritten_and_put_back(make):
    """An answer of any of these kinds may be kept."""
    answer, same = make(), make()
    with spoilt(answer) as skipped:
        assert repr(same) != repr(answer)
    assert ([], repr(same)) == (skipped, repr(answer))


def test_a_read_only_array_is_read_only_again():
    """Its owner closed it."""
    answer = read_only()
    with spoilt([answer, answer[:2]]):
        assert np.isnan(answer).all()
    assert not answer.flags.writeable


@pytest.mark.parametrize("answer", [np.frombuffer(b"12345678"), torch.eye(2).to_sparse()], ids=["bytes", "sparse"])
def test_what_cannot_be_overwritten_is_named_and_left(answer):
    """It raises nothing."""
    before = repr(answer)
    with spoilt([answer]) as skipped:
        assert 1 == len(skipped)
    assert before == repr(answer)


def test_an_error_within_puts_everything_back():
    """The caller's data are not lost with it."""
    data = np.ones(2)
    with pytest.raises(KeyboardInterrupt), spoilt(data):
        raise KeyboardInterrupt
    assert 2.0 == data.sum()


def test_a_list_that_contains_itself_is_left_after_its_numbers():
    """It has no end."""
    data = [1.0]
    data.append(data)
    with spoilt(data):
        assert data[0] != 1.0
    assert 1.0 == data[0]
