"""Rates and averages that follow the size of the batch, whichever optimizer and schedule a recipe has."""
# the expected value stands on the left

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, OneCycleLR

from suite.training.scaling_rules import WARM_UP, WarmUp, by_optimizer, linear, shorter, square_root

RATE, STEPS = 0.1, 36


def constant(optimizer, _rate, _steps):
    return ConstantLR(optimizer, factor=1.0)


def cosine(optimizer, _rate, steps):
    return CosineAnnealingLR(optimizer, T_max=steps)


def one_cycle(optimizer, rate, steps):
    return OneCycleLR(optimizer, rate, total_steps=steps)


def made(kind=torch.optim.SGD, **options):
    return kind([nn.Parameter(torch.zeros(1))], lr=RATE, **options)


def rates(rule, schedule, optimizer):
    """The learning rate of every step."""
    begun, found = rule(schedule, 4)(optimizer, RATE, STEPS), []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        begun.step()
    return found


@pytest.mark.parametrize(("rule", "times"), [(linear, 4), (square_root, 2)])
def test_the_rate_rises_from_the_small_batch_to_that_of_its_rule(rule, times):
    """In the first eighteenth of the steps, linearly."""
    assert 2 == round(WARM_UP * STEPS)
    expected = [RATE, RATE * (1 + times) / 2, *[RATE * times] * (STEPS - 2)]
    assert pytest.approx(expected) == rates(rule, constant, made())


@pytest.mark.parametrize("schedule", [cosine, one_cycle])
def test_after_the_warm_up_a_schedule_is_that_of_the_larger_peak(schedule):
    """Whether it computes rates from the ones before or anew."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=4 * RATE, momentum=0.9)
    plain, expected = schedule(optimizer, 4 * RATE, STEPS), []
    for _ in range(STEPS - 1):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        plain.step()
    assert pytest.approx(expected[2:]) == rates(linear, schedule, made(momentum=0.9))[2:-1]


def test_adams_averages_keep_their_items_and_its_eps_follows():
    """Betas 0.9 and 0.99 in batches four times as large; eps is halved."""
    optimizer = made(torch.optim.AdamW, betas=(0.9, 0.99), eps=1e-6)
    square_root(constant, 4)(optimizer, RATE, STEPS)
    group = optimizer.param_groups[0]
    assert pytest.approx((0.6, 0.96, 5e-7)) == (*group["betas"], group["eps"])


def test_one_cycle_moves_the_first_beta_between_shorter_averages():
    """0.95 at first and 0.85 at the peak become 0.8 and 0.4."""
    optimizer = made(torch.optim.AdamW)
    begun, found = square_root(one_cycle, 4)(optimizer, RATE, STEPS), []
    for _ in range(STEPS - 1):
        found.append(optimizer.param_groups[0]["betas"])
        optimizer.step()
        begun.step()
    assert pytest.approx((0.8, 0.996)) == found[0]
    assert pytest.approx(0.4, abs=0.01) == min(beta for beta, _ in found)


@pytest.mark.parametrize(
    ("kind", "times", "betas"),
    [(torch.optim.SGD, 4, None), (torch.optim.Adam, 2, (0.6, 0.996)), (torch.optim.AdamW, 2, (0.6, 0.996))],
)
def test_the_optimizer_decides_which_rule_it_is(kind, times, betas):
    """Linear for SGD, the square root where squared gradients are averaged."""
    optimizer = made(kind)
    assert pytest.approx(times * RATE) == rates(by_optimizer, constant, optimizer)[-1]
    assert (betas is None) or pytest.approx(betas) == optimizer.param_groups[0]["betas"]


def test_the_linear_rule_leaves_averages_alone():
    """Also where it is asked for with Adam."""
    optimizer = made(torch.optim.Adam)
    linear(constant, 4)(optimizer, RATE, STEPS)
    assert (0.9, 0.999) == optimizer.param_groups[0]["betas"]


@given(st.floats(0, 0.9999), st.integers(1, 64))
def test_an_average_is_over_as_many_items_or_over_one_batch(beta, k):
    """1 / (1 - beta) batches become a kth of that, and never less than one."""
    found = shorter(beta, k)
    assert pytest.approx(max(1.0, 1 / (1 - beta) / k), rel=1e-6) == 1 / (1 - found)


def test_a_warm_up_of_no_steps_changes_nothing():
    """A training of few steps."""
    optimizer = made()
    WarmUp(constant(optimizer, RATE, 1), start=0.25, steps=0)
    assert RATE == optimizer.param_groups[0]["lr"]
