"""Networks whose weights are constants: each compilation of one is frozen, the first and every later one."""
# the expected value stands on the left

import pytest
import torch
from torch import nn

from suite.core.machine.needs import missing_need
from suite.training.compiling import compile_frozen, compile_static

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the compiler's own imports, with the lowest torch
    pytest.mark.skipif(missing_need("compiler", "cpu") is not None, reason="no compiler"),
]


@pytest.fixture
def frozen(monkeypatch):
    """How often the compiler has made constants of weights."""
    from torch._inductor import freezing

    made, freeze = [], freezing.freeze
    monkeypatch.setattr(freezing, "freeze", lambda *args, **options: made.append(1) or freeze(*args, **options))
    torch._dynamo.reset()
    yield lambda: len(made)
    torch._dynamo.reset()


def network():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()


@torch.no_grad()
def test_a_network_is_frozen_again_whenever_it_is_compiled_again(frozen):
    """The compiler forgets what it made; a network that came back without frozen weights was four times slower."""
    inputs, plain = torch.randn(2, 1, 8, 8), network()
    call = compile_frozen(plain)
    call(inputs)
    assert 1 == frozen()
    call(inputs)
    assert 1 == frozen()
    torch._dynamo.reset()
    torch.testing.assert_close(plain(inputs), call(inputs))
    assert 2 == frozen()


@torch.no_grad()
def test_other_networks_of_the_process_are_not_frozen(frozen):
    """The switch is off again after the call, and for those that compile at another time."""
    from torch._inductor import config

    inputs = torch.randn(2, 1, 8, 8)
    compile_frozen(network())(inputs)
    compile_static(network())(inputs)
    assert 1 == frozen()
    assert not config.freezing
