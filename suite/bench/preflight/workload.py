"""One step and one answer of a workload's baseline before anything trains; each fault comes with its remedy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from suite.bench.explain import explain
from suite.bench.preflight.answers import check_answers, check_own_weights
from suite.bench.preflight.remedies import forms, remedy
from suite.core.errors import SetupError, SuiteError, UnavailableError, UsageError
from suite.core.machine.flags import applied
from suite.measure.scoring.items import figures_of
from suite.registry import Workload
from suite.training.copying import copied
from suite.training.devices import lay_out, own_random_numbers
from suite.training.loop import Trained, built, first_step
from suite.training.recipe import Batch, Recipe, Splits
from suite.training.serving import Served, on_cpu, serve
from suite.training.trees import answer_of, leaves, length, take, to, tree_map

ITEMS = 8  # of a batch: enough for norms, and cheap


def check_workload(workload: Workload, device: str) -> None:
    """Raise `SetupError` with the user's file and line and a remedy if the baseline cannot do one step.

    It is built, copied, called twice for one item and for a batch, and trained for one step if the workload trains. A
    workload that is unavailable here raises nothing: its cells report it.
    """
    try:
        with own_random_numbers(device), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _Check(workload=workload, device=device).run()
    except UnavailableError:
        pass


@dataclass(kw_only=True)
class _Check:
    workload: Workload
    device: str
    splits: Splits | None = None

    def run(self) -> None:
        with self._told("the recipe cannot be made"):
            plain = self.workload.plain(0)
        with self._told("the data cannot be loaded"):
            self.splits = plain.data()
        with applied(plain.flags):
            self._check(plain)

    def _check(self, plain: Recipe) -> None:
        with self._told("the network cannot be built"):
            network = lay_out(built(plain, 0), plain).to(self.device).eval()
            users = self.workload.recipe(0).model()  # no copy; a builder may train it, which needs gradients
        with self._told("the network cannot be copied, so no technique can be measured on it"):
            again = copied(network)
        items = take(plain.data().test.inputs, slice(ITEMS))
        with self._told("the network cannot answer"), torch.no_grad():
            check_answers(network, again, to(items, self.device))
            check_own_weights(users.eval(), items)
        with self._told("the network cannot be served"):
            outputs = self._served(plain, network)
        with self._told("the scores cannot judge the network's answers"):
            self._scored(plain, outputs)
        if self.workload.source == "train":
            with self._told("the network cannot be trained"):
                self._trained(plain, network)

    def _served(self, plain: Recipe, network: nn.Module) -> Any:
        """Outputs of the first test items as the suite serves them. Raises `UsageError` for another number of them."""
        served = serve(Trained(recipe=plain, network=network, device=self.device, seed=0, seconds=0.0))
        items = plain.data().test.first(ITEMS).inputs
        for count in (1, length(items)):
            outputs = _answer(served, take(items, slice(count)))
            wrong = [tuple(leaf.shape) for leaf in leaves(outputs) if leaf.dim() == 0 or leaf.shape[0] != count]
            if wrong:
                raise UsageError(
                    f"for {count} item{'s' * (count != 1)} its output has shape {wrong[0]}; every output must begin "
                    "with the number of items (does a squeeze() or a mean() take that dimension?)"
                )
        return outputs

    def _scored(self, plain: Recipe, outputs: Any) -> None:
        targets = tree_map(lambda leaf: leaf.cpu(), plain.data().test.first(ITEMS).targets)
        if any(score.classifies for score in self.workload.scores):
            check_labels(plain, outputs)
        for score in self.workload.scores:
            if score.per_item is not None:
                figures_of(score, outputs, targets, length(targets))

    def _trained(self, plain: Recipe, network: nn.Module) -> None:
        weights = list(network.parameters())
        if not any(weight.requires_grad for weight in weights):
            why = "all its weights are frozen" if weights else "it has no weights"
            raise UsageError(f"{why}; declare source='checkpoint' or source='none' if the network is not to be trained")
        step, batch = first_step(plain, device=self.device, reference=_nobody)
        loss = step(small(batch))
        if not isinstance(loss, Tensor) or not bool(torch.isfinite(loss).all()):
            raise UsageError(f"the loss of the first batch is {loss}; it must be a finite number")

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


def check_labels(plain: Recipe, outputs: Any) -> None:
    """Raise `UsageError` for labels outside the classes that the outputs score."""
    scores = answer_of(outputs)
    count = 2 if scores.numel() == len(scores) else scores.shape[1]
    for name in ("train", "test"):
        targets = getattr(plain.data(), name).targets
        if not isinstance(targets, Tensor) or (targets.dim() > 1 and targets.shape[1] > 1):
            continue  # one-hot, or for a score of its own
        low, high = float(targets.min()), float(targets.max())
        if low < 0 or high > count - 1 or not bool((targets == targets.round()).all()):
            shift = f"; subtract {low:g} from the labels" if low > 0 and high - low <= count - 1 else ""
            found = f"the {name} labels run from {low:g} to {high:g}, and the outputs {tuple(scores.shape)} score"
            raise UsageError(f"{found} {count} classes: labels must be whole numbers from 0 to {count - 1}{shift}")


def small(batch: Batch) -> Batch:
    """The batch's first items."""
    return Batch(inputs=take(batch.inputs, slice(ITEMS)), targets=take(batch.targets, slice(ITEMS)))


def _answer(served: Served, items: Any) -> Any:
    return tree_map(on_cpu, served(served.prepare_inputs(items)))


def _nobody(composition: str) -> nn.Module:
    raise UsageError(f"the plain recipe needs the trained network of {composition}, but nothing is trained yet")
