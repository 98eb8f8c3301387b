"""One step and one answer of a workload's baseline before anything trains; each fault comes with its remedy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from suite.bench.explain import explain
from suite.bench.preflight import outputs as judging
from suite.bench.preflight.answers import check_answers, told_draws
from suite.bench.preflight.moved import Moved
from suite.bench.preflight.networks import check_kind
from suite.bench.preflight.outputs import check_items, check_labels
from suite.bench.preflight.reading import answered, check_reading, told_outside
from suite.bench.preflight.remedies import forms, remedy
from suite.core.errors import SetupError, SuiteError, UnavailableError, UsageError
from suite.core.machine.flags import applied
from suite.measure.scoring.items import figures_of
from suite.registry import Workload
from suite.training.copying import copied
from suite.training.devices import lay_out, own_random_numbers, seed_all
from suite.training.loop import Trained, built, first_step
from suite.training.recipe import Batch, Recipe, Splits
from suite.training.serving import Served, on_cpu, serve
from suite.training.trees import length, take, to, tree_map

ITEMS = 8  # of a batch: enough for norms, and cheap


@dataclass(kw_only=True)
class Seen:
    """What a preflight saw of a workload that can be measured: remarks, and which tensors a call of its network moves.

    Those tensors (a counter) have no effect on outputs.
    """

    remarks: list[str] = field(default_factory=list)
    moving: frozenset[str] = frozenset()


def check_workload(workload: Workload, device: str) -> Seen:
    """Raise `SetupError` with the user's file and line and a remedy if the baseline cannot do one step.

    It is built, copied, called twice for one item and for a batch, and trained for one step if the workload trains. A
    workload that is unavailable here raises nothing: its cells report it.
    """
    check = _Check(workload=workload, device=device)
    try:
        with own_random_numbers(device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check.run()
    except UnavailableError:
        pass
    return check.seen


@dataclass(kw_only=True)
class _Check:
    workload: Workload
    device: str
    splits: Splits | None = None
    seen: Seen = field(default_factory=Seen)

    def run(self) -> None:
        with self._told("the recipe cannot be made"):
            plain = self.workload.plain(0)
        with self._told("the data cannot be loaded"):
            self.splits = plain.data()
        with applied(plain.flags):
            self._check(plain)

    def _check(self, plain: Recipe) -> None:
        users = self._users()
        with self._told("the network cannot be built"):
            network = built(plain, 0)
        with self._told(f"the network cannot be moved to {self.device}"):
            network = lay_out(network, plain).to(self.device).eval()
        with self._told("the network cannot be copied, so no technique can be measured on it"):
            again = copied(network)
        items = take(plain.data().test.inputs, slice(ITEMS))
        with self._told("the network cannot answer"), torch.no_grad():
            self._moved(check_answers(network, again, to(items, self.device), self.device))
            self._outside(check_reading(users.eval(), items))
        with self._told("the network cannot be served"):
            outputs = self._served(plain, network)
        with self._told("the scores cannot judge the network's answers"):
            self._scored(plain, outputs, users)
        if self.workload.source == "train":
            with self._told("the network cannot be trained"):
                trained = self._trained(plain, network)
            with self._told("the network cannot be copied after a step of training"):
                copied(trained)

    def _users(self) -> Any:
        """The network as the user's model returns it, which is no copy."""
        with self._told("the network cannot be built"):
            seed_all(0)
            users = self.workload.recipe(0).model()  # a builder may train it, which needs gradients
        with self._told("the network cannot be measured"):
            check_kind(users)
        return users

    def _remark(self, said: str) -> None:
        self.seen.remarks.append(f"workload {self.workload.name!r}: {said} [{self.workload.where}]")

    def _moved(self, moved: Moved) -> None:
        self.seen.moving = frozenset(moved.tensors)
        if moved.generators:
            self._remark(told_draws(moved))

    def _outside(self, names: list[str]) -> None:
        if names:
            self._remark(told_outside(names))

    def _served(self, plain: Recipe, network: nn.Module) -> Any:
        """Outputs of the first test items as the suite serves them. Raises `UsageError` for another number of them."""
        served = serve(Trained(recipe=plain, network=network, device=self.device, seed=0, seconds=0.0))
        items = plain.data().test.first(ITEMS).inputs
        for count in (1, length(items)):
            outputs = _answer(served, take(items, slice(count)))
            check_items(outputs, count)
        return outputs

    def _scored(self, plain: Recipe, outputs: Any, users: nn.Module) -> None:
        targets = tree_map(lambda leaf: leaf.cpu(), plain.data().test.first(ITEMS).targets)
        if any(score.classifies for score in self.workload.scores):
            check_labels(plain, outputs)
            self._judged(plain, outputs, users)
        for score in self.workload.scores:
            if score.per_item is not None:
                figures_of(score, outputs, targets, length(targets))

    def _judged(self, plain: Recipe, outputs: Any, users: nn.Module) -> None:
        """Remarks on an output that is judged and hardly can be meant as a logit."""
        other = judging.told_other(outputs)
        if other:
            self._remark(other)
        elif judging.looks_like_probability(outputs) and any(True for _ in users.parameters()):
            varied, items = judging.varied(copied(users)), plain.data().test.first(ITEMS).inputs
            with torch.no_grad():
                others = answered(varied, items)
            if judging.looks_like_probability(others):
                self._remark(judging.told_probability(outputs))

    def _trained(self, plain: Recipe, network: nn.Module) -> nn.Module:
        """The network after a step."""
        weights = list(network.parameters())
        if not any(weight.requires_grad for weight in weights):
            why = "all its weights are frozen" if weights else "it has no weights"
            raise UsageError(f"{why}; declare source='checkpoint' or source='none' if the network is not to be trained")
        step, batch = first_step(plain, device=self.device, reference=_nobody)
        loss = step(small(batch))
        if not isinstance(loss, Tensor) or not bool(torch.isfinite(loss).all()):
            raise UsageError(f"the loss of the first batch is {loss}; it must be a finite number")
        return step.trainee.network

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """One message for whatever fails in the body."""
        try:
            yield
        except UnavailableError:
            raise
        except Exception as error:
            said = explain(error, self.workload.where)
            if isinstance(error, SuiteError):
                said = f"{said} [{self.workload.where}]"
            advice = (
                ""
                if isinstance(error, SuiteError)
                else remedy(error, self.splits) or (forms(self.splits) if self.splits else "")
            )
            raise SetupError(
                f"workload {self.workload.name!r}: {what}: {said}{'; ' if advice else ''}{advice}"
            ) from error


def small(batch: Batch) -> Batch:
    """The batch's first items."""
    return Batch(inputs=take(batch.inputs, slice(ITEMS)), targets=take(batch.targets, slice(ITEMS)))


def _answer(served: Served, items: Any) -> Any:
    return tree_map(on_cpu, served(served.prepare_inputs(items)))


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"the plain recipe needs the trained network of {composition}, but nothing is trained yet")
