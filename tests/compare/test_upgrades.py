"""Two releases of a serving engine: what is compared, and what its answers may differ by."""
# the expected value stands on the left

from types import SimpleNamespace

import pytest

from suite.compare.upgrades import TOLERANCE, check_runtime, served_by, tolerance
from suite.core.errors import UsageError
from suite.registry import REGISTRY


@pytest.mark.parametrize(
    ("techniques", "expected"),
    [([], ["openvino"]), (["baseline"], ["openvino"]), (["a", "b(x=1)"], ["a+openvino", "b(x=1)+openvino"])],
)
def test_the_runtime_stands_behind_each_composition(techniques, expected):
    """Alone for the plain network; nothing is added without one."""
    assert expected == served_by("openvino", techniques)
    assert techniques == served_by(None, techniques)


def test_answers_decide_with_a_runtime_and_are_told_without():
    """Another tolerance can be asked for, zero too."""
    assert (TOLERANCE, 0.0) == (tolerance("openvino", None), tolerance("openvino", 0.0))
    assert tolerance(None, None) is None


def test_a_technique_that_runs_no_network_is_refused_with_those_that_do():
    """A technique of training changes nothing between two releases of an engine."""
    case = SimpleNamespace(composition=REGISTRY.resolve("ema"))
    with pytest.raises(UsageError, match=r"--runtime ema: it does not run .* runtimes are .*onnxruntime"):
        check_runtime("ema", [case], REGISTRY)
    check_runtime("openvino", [SimpleNamespace(composition=REGISTRY.resolve("openvino"))], REGISTRY)
    check_runtime(None, [case], REGISTRY)
