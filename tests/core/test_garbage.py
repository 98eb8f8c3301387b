"""Collections are paused, or pass over what was set aside."""
# the expected value stands on the left

import gc
import weakref

import pytest

from suite.core import garbage


class Circle:
    """Only a collection frees it."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def as_before():
    """Other tests find the modules frozen that were."""
    before = gc.get_freeze_count()
    yield
    gc.unfreeze()
    if before:
        gc.freeze()


def test_what_was_set_aside_is_visited_again_once_it_is_taken_back():
    """A network in circles that is dropped meanwhile stays until then."""
    circle = Circle()
    seen = weakref.ref(circle)
    garbage.set_aside()
    del circle
    gc.collect()
    assert seen() is not None
    garbage.take_back()
    gc.collect()
    assert seen() is None


def test_what_came_later_is_collected_as_ever():
    garbage.set_aside()
    circle = Circle()
    seen = weakref.ref(circle)
    del circle
    gc.collect()
    assert seen() is None


def test_setting_aside_frees_what_is_garbage_already():
    circle = Circle()
    seen = weakref.ref(circle)
    del circle
    garbage.set_aside()
    assert seen() is None


@pytest.mark.parametrize("on", [True, False])
def test_a_pause_leaves_the_collector_as_it_was(on):
    (gc.enable if on else gc.disable)()
    try:
        with garbage.uncollected():
            assert not gc.isenabled()
        assert on == gc.isenabled()
    finally:
        gc.enable()
