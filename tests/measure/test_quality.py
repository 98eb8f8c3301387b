"""Quality as the training loop asks for it: the same score of the same numbers as after serving."""
# the expected value stands on the left

import pytest
import tiny
import torch

from suite.catalog.scores import Score
from suite.measure import quality


@pytest.mark.parametrize("kind", ["per_item", "aggregate"])
def test_a_validation_score_of_half_precision_outputs_is_that_of_float32(kind):
    """Autocast gives bfloat16, which numpy does not know; served outputs are scored as float32 as well."""
    seen, made = [], tiny.registry()

    def gaps(outputs, targets):
        seen.append(outputs.dtype)
        found = outputs[:, 0] - targets
        return found if kind == "per_item" else float(found.numpy().mean())

    @made.workload(scores=[Score(name="gap_of_halves", better="lower", **{kind: gaps})], target=0.1)
    def gapped(seed):
        return tiny.recipe(seed)

    goal = quality.goal(made.find_workload("gapped"))
    assert 0.5 == goal.score(torch.tensor([[1.0], [2.0]], dtype=torch.bfloat16), torch.tensor([0.5, 1.5]))
    assert [torch.float32] == seen
