"""Trees of tensors: one tensor, or any nesting of tuples, lists and dictionaries of them."""
# the expected value stands on the left

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.core.errors import UsageError
from suite.training.recipe import Batch, Split
from suite.training.trees import cat, fill_up, is_image, leaves, length, split, take, to, tree_map


def items(count):
    return torch.arange(count)


TREES = st.recursive(
    st.sampled_from([(), (2,), (1, 3)]),
    lambda children: (
        st.lists(children, min_size=1, max_size=3)
        | st.lists(children, min_size=1, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from("abc"), children, min_size=1)
    ),
    max_leaves=5,
).filter(lambda shape: shape != {})


def grown(form, count):
    """A tree of ``form`` whose leaves hold the number of their item in every place."""
    if isinstance(form, tuple) and all(isinstance(size, int) for size in form):
        return items(count).reshape(-1, *[1] * len(form)).expand(count, *form)
    if isinstance(form, dict):
        return {name: grown(part, count) for name, part in form.items()}
    return type(form)(grown(part, count) for part in form)


def equal(first, second):
    """Whether two trees have the same form and the same numbers."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[name], second[name]) for name in first)
    return type(first) is type(second) and all(map(equal, first, second)) and len(first) == len(second)


@given(form=TREES, count=st.integers(1, 9), size=st.integers(1, 10))
def test_what_is_split_is_joined_to_the_same_tree(form, count, size):
    """Parts come in order, all of ``size`` but the last, in the form that the whole has."""
    tree = grown(form, count)
    parts = list(split(tree, size))
    assert [size] * (count // size) + [count % size] * (count % size > 0) == [length(part) for part in parts]
    assert equal(tree, cat(parts))


@given(form=TREES, count=st.integers(1, 9), size=st.integers(1, 30))
def test_filling_up_repeats_the_items_in_turn(form, count, size):
    """Exactly ``size`` items in every leaf; item k is item k modulo the number there was."""
    filled = fill_up(grown(form, count), size)
    assert equal(take(grown(form, count), torch.arange(size) % count), filled)


@given(form=TREES, count=st.integers(1, 5))
def test_a_change_reaches_every_leaf_and_keeps_the_form(form, count):
    """Tuples stay tuples, names stay names."""
    tree = grown(form, count)
    assert equal(tree, tree_map(lambda leaf: leaf - 1, tree_map(lambda leaf: leaf + 1, tree)))
    assert equal(tree, to(tree, "cpu"))


@pytest.mark.parametrize("index", [slice(1, 3), torch.tensor([1, 2]), torch.tensor([False, True, True, False])])
def test_items_are_taken_by_slice_by_number_or_by_truth(index):
    """From all leaves alike."""
    found = take({"a": items(4), "b": (2 * items(4),)}, index)
    assert ([1, 2], [2, 4]) == (found["a"].tolist(), found["b"][0].tolist())


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ((), "found nothing"),
        ({"a": []}, "found nothing"),
        ({"a": items(2), "b": 3}, r"found int \('3'\)"),
        (["text"], r"found str \('text'\)"),
    ],
)
def test_anything_but_tensors_is_an_error_that_shows_it(tree, expected):
    """A number, a text or an empty list is no data."""
    with pytest.raises(UsageError, match=f"data must be tensors.*{expected}"):
        leaves(tree)


@pytest.mark.parametrize("tree", [(items(3), items(2)), {"a": items(3), "b": torch.tensor(1.0)}, torch.tensor(5)])
def test_leaves_of_different_length_are_an_error_with_their_shapes(tree):
    """A number without dimensions has no items either."""
    with pytest.raises(UsageError, match=r"the same number of items; found shapes .*\("):
        length(tree)


def test_images_are_one_floating_tensor_of_four_dimensions():
    """Only for them a memory layout can be chosen."""
    image = torch.zeros(1, 3, 4, 4)
    assert is_image(image)
    for other in (image[0], image.int(), image[None], (image,), {"image": image}):
        assert not is_image(other)


# -- splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"inputs": items(3), "targets": items(2)}, r"'inputs': 3, 'targets': 2"),
        ({"inputs": items(3), "targets": items(3), "ids": items(4)}, r"'ids': 4"),
    ],
)
def test_a_split_of_different_lengths_is_an_error_with_all_of_them(parts, expected):
    """Inputs, targets and ids belong together."""
    with pytest.raises(UsageError, match=expected):
        Split(**parts)


def test_a_splits_first_items_keep_targets_and_ids():
    """And it is as long as its inputs, whatever form they have."""
    whole = Split(inputs={"a": items(5), "b": (items(5),)}, targets=items(5) + 10, ids=items(5) + 20)
    part = whole.first(2).to("cpu")
    assert (5, 2) == (len(whole), len(part))
    assert ([0, 1], [10, 11], [20, 21]) == (part.inputs["b"][0].tolist(), part.targets.tolist(), part.ids.tolist())
    assert whole.first(2).ids is not None
    assert Split(inputs=items(3), targets=items(3)).first(2).ids is None


def test_a_batch_is_as_long_as_its_inputs():
    """However many tensors they are."""
    assert 3 == len(Batch(inputs=(items(3), items(3)), targets=items(3)))
