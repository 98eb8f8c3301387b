"""Quality: the served network's outputs for the test items, scored item by item; and whether they are its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from suite.core.errors import OutputError
from suite.core.metrics import measured
from suite.core.records import Cell, Measurement
from suite.measure.integrity.outputs import Judged
from suite.measure.scoring.cost import training_cost
from suite.measure.scoring.items import ItemValues, Outcome, figures_of, joined
from suite.measure.scoring.pooled import PooledOutcomes, score_measurements
from suite.registry import Workload
from suite.registry.score import Score
from suite.training.loop import Goal, Trained
from suite.training.recipe import Split
from suite.training.serving import Served, on_cpu, plainly, predict, predictions
from suite.training.trees import Tree, cat, leaves, length, take, to, tree_map

COMPARED_ITEMS = 256  # test items whose outputs are compared with those of the plain network
UNRELATED = 0.5  # relative error of outputs that have nothing to do with the network's


def goal(workload: Workload) -> Goal | None:
    """The workload's target as the training loop asks for it."""
    score = workload.primary
    if score is None or workload.target is None:
        return None
    return Goal(value=workload.target, better=score.better, score=lambda o, t: _of_all(score, o, t))


def _of_all(score: Score, outputs: Tree, targets: Tree) -> float:
    if score.aggregate is not None:
        return score.aggregate(tree_map(on_cpu, outputs), _host(targets))
    return figures_of(score, tree_map(on_cpu, outputs), _host(targets), length(targets)).value


def _host(tree: Tree) -> Tree:
    return to(tree, "cpu")


def outcome(trained: Trained, served: Served, workload: Workload, *, batch: int) -> Outcome:
    """Test the served network on its seed's test items. Raises `OutputError` for outputs that are not finite."""
    test = trained.recipe.data().test
    targets = _host(test.targets)
    whole = any(score.aggregate is not None for score in workload.scores)
    parts: dict[str, list[ItemValues]] = {score.name: [] for score in workload.scores if score.per_item is not None}
    kept: list[Tree] = []
    for items, outputs in predictions(served, test.inputs, batch=batch):
        wanted, count = take(targets, items), items.stop - items.start
        for score in workload.scores:
            if score.per_item is not None:
                parts[score.name].append(figures_of(score, outputs, wanted, count))
        kept += [outputs] if whole or not kept else []
    found = goal(workload)
    return Outcome(
        seed=trained.seed,
        ids=_ids(test),
        fingerprints=_fingerprints(targets),
        figures={name: joined(figures) for name, figures in parts.items()},
        outputs=cat(kept) if whole else None,
        first_batch=kept[0],
        targets=targets if whole else None,
        seconds=None if trained.reused else trained.seconds,
        seconds_to_target=None if found is None or trained.reused else trained.seconds_to(found),
        energy=None if trained.reused else trained.energy,
        energy_to_target=None if found is None or trained.reused else trained.energy_to(found),
    )


def first_answers(served: Served, *, batch: int) -> Judged:
    """Outputs for the first batch of test items, served as the quality pass serves it."""
    inputs = served.recipe.data().test.first(batch).inputs
    return Judged(outputs=predict(served, inputs, batch=batch), items=length(inputs))


def quality(
    cell: Cell, workload: Workload, outcomes: Sequence[Outcome], control: Sequence[Outcome], control_name: str
) -> list[Measurement]:
    """All scores of a cell from its seeds' outcomes and the control's of the same seeds; what training cost."""
    found = PooledOutcomes(cell=cell, outcomes=outcomes, control=control, control_name=control_name)
    scored = [measurement for score in workload.scores for measurement in score_measurements(score, found)]
    return scored + (training_cost(found) if workload.source == "train" else [])


def output_error(cell: Cell, trained: Trained, served: Served, *, batch: int, may_differ: bool) -> list[Measurement]:
    """Relative L2 distance of the served outputs from those of the same trained network, served plainly.

    Raises `OutputError` for outputs of another form, and for outputs that have nothing to do with the network's, unless
    they ``may_differ``: a score judges them then. Nothing where the outputs are no floating-point numbers.
    """
    inputs = trained.recipe.data().test.first(COMPARED_ITEMS).inputs
    ours = leaves(predict(served, inputs, batch=batch))
    plain = leaves(predict(plainly(trained), inputs, batch=batch))
    shapes = [[tuple(leaf.shape) for leaf in found] for found in (ours, plain)]
    if shapes[0] != shapes[1]:
        raise OutputError(f"the served outputs have shapes {shapes[0]}, the network's own {shapes[1]}")
    pairs = [(a.double(), b.double()) for a, b in zip(ours, plain, strict=True) if b.is_floating_point()]
    size = sum(float(b.square().sum()) for _, b in pairs)
    if not size:
        return []
    error = (sum(float((a - b).square().sum()) for a, b in pairs) / size) ** 0.5
    if error > UNRELATED and not may_differ:
        raise OutputError(
            f"the served outputs are {error:.2g} times the network's own away from them, and no score of "
            f"{cell.workload} may excuse it; fix the code that serves the network"
        )
    return [measured(cell, "output_error", error, n=len(leaves(inputs)[0]))]


def _ids(test: Split) -> np.ndarray[Any, Any]:
    return np.arange(len(test)) if test.ids is None else np.asarray(test.ids.cpu())


def _fingerprints(targets: Tree) -> np.ndarray[Any, Any]:
    """A hash of each item's target [N], so that predictions for other items are noticed."""
    found = [leaf.detach().contiguous().flatten(1) if leaf.dim() > 1 else leaf[:, None] for leaf in leaves(targets)]
    rows = [leaf.contiguous().view(torch.uint8).numpy() for leaf in found]
    return np.array([_hash(*(row[item] for row in rows)) for item in range(len(rows[0]))])


def _hash(*rows: np.ndarray[Any, Any]) -> int:
    digest = hashlib.blake2b(b"".join(row.tobytes() for row in rows), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
