"""A training that goes on from a checkpoint draws the random numbers that it would have drawn; no rank starts here."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest
import rank_samples
import tiny
import torch
import torch.distributed as dist

from suite.training.distributed import in_ranks
from suite.training.distributed.launching import LaunchLimits
from suite.training.distributed.resuming import ResumablePlan, seed_of_step, train_resuming


@pytest.fixture
def draw(monkeypatch):
    """The number that a rank of two draws in a step."""
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(in_ranks, "summed_loss", lambda loss: loss)
    batch = rank_samples.Batch(inputs=torch.zeros(4), targets=torch.zeros(4))

    def drawn(rank, trainee):
        monkeypatch.setattr(dist, "get_rank", lambda: rank)
        return float(in_ranks.of_share(lambda *_: torch.rand(()), trainee, batch, None))

    return drawn


def trainee(steps):
    return SimpleNamespace(steps=steps, kept={})


@pytest.mark.parametrize("steps", [0, 7])
def test_ranks_draw_different_numbers_in_the_first_step_that_they_do(steps, draw):
    """Which is a later one after a checkpoint."""
    found = set()
    for rank in (0, 1):
        torch.manual_seed(3)
        found.add(draw(rank, trainee(steps)))
    assert 2 == len(found)


def test_a_rank_is_seeded_once_and_draws_on(draw):
    torch.manual_seed(3)
    one = trainee(1)
    assert draw(1, one) != draw(1, one)


def test_a_rank_draws_in_a_step_what_it_would_have_drawn_without_a_failure(draw):
    """The one goes through two steps, the other resumes at the second."""
    whole = trainee(0)
    for steps in (0, 1):
        whole.steps = steps
        torch.manual_seed(seed_of_step(0, steps))
        found = draw(1, whole)
    torch.manual_seed(seed_of_step(0, 1))
    assert draw(1, trainee(1)) == found


def test_a_resumed_training_with_dropout_ends_like_one_that_was_not_interrupted(tmp_path):
    plain = rank_samples.recipe(model=rank_samples.Dropping)
    for steps in (2, 6):
        found = train_resuming(plain, ResumablePlan(steps=steps, folder=tmp_path / "parts"), LaunchLimits())
    whole = train_resuming(plain, ResumablePlan(steps=6, folder=tmp_path / "whole"), LaunchLimits())
    other = train_resuming(plain, ResumablePlan(steps=6, folder=tmp_path / "other", seed=1), LaunchLimits())
    assert tiny.equal_states(whole, found)
    assert not tiny.equal_states(whole, other)
