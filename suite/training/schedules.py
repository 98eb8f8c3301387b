"""Schedules of the learning rate made of other schedules."""

from __future__ import annotations

from typing import Any

from torch.optim.lr_scheduler import LRScheduler


class HeldSchedule(LRScheduler):
    """Another schedule's first ``steps`` steps; the rate stays where they bring it."""

    def __init__(self, schedule: LRScheduler, steps: int) -> None:
        self.schedule, self.optimizer, self.left = schedule, schedule.optimizer, steps

    def step(self, *_: Any) -> None:
        if self.left > 0:
            self.schedule.step()
            self.left -= 1
