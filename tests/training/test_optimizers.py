"""Optimizers by other kernels: the same rule, the same hooks."""
# the expected value stands on the left

import pytest
import tiny
import torch

from suite.core.errors import UnavailableError
from suite.training.optimizers import by, offers
from suite.training.schedules import HeldSchedule


def hooked(parameters, rate):
    made = torch.optim.AdamW(parameters, lr=rate, betas=(0.8, 0.9))
    made.register_step_pre_hook(lambda *_: made.defaults.update(called=True))
    return made


@pytest.mark.parametrize("kernel", ["foreach", "fused"])
def test_the_switch_is_set_and_all_else_is_the_recipes(kernel):
    """One of both kernels, the betas and the hooks."""
    weight = torch.nn.Parameter(torch.ones(3))
    made = by(kernel, hooked)([weight], 0.1)
    assert {"foreach": kernel == "foreach", "fused": kernel == "fused"} == {
        name: made.param_groups[0][name] for name in ("foreach", "fused")
    }
    weight.sum().backward()
    made.step()
    assert made.defaults["called"]
    assert (0.8, 0.9) == made.param_groups[0]["betas"]


def test_an_optimizer_without_the_switch_is_unavailable():
    """LBFGS has neither."""
    with pytest.raises(UnavailableError, match="LBFGS has no fused kernels"):
        by("fused", lambda parameters, rate: torch.optim.LBFGS(parameters, lr=rate))(tiny.Net().parameters(), 0.1)


@pytest.mark.parametrize(("rule", "expected"), [(torch.optim.SGD, True), (torch.optim.SparseAdam, False)])
def test_switches_are_looked_up_in_the_groups(rule, expected):
    """Where the step reads them."""
    assert expected == offers(rule([torch.nn.Parameter(torch.zeros(1))], lr=0.1), "foreach")


def test_a_schedule_that_is_held_has_its_optimizer():
    """What wraps it, a warm-up, asks for it."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    inner = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    assert optimizer is HeldSchedule(inner, 3).optimizer
