"""What an engine really multiplies in: products by precision and device, each by its multiply-accumulates."""
# the expected value stands on the left

from dataclasses import replace

import pytest

from suite.core.errors import TechniqueError
from suite.training.executed import (
    Executed,
    ExecutedProduct,
    attention,
    convolution,
    executed,
    product,
    recurrent,
    transposed_convolution,
)


def run(*products, wanted="int8"):
    return executed(
        "engine", "1.0", wanted, [ExecutedProduct(precision=kind, device="CPU", macs=n) for kind, n in products]
    )


def test_shares_are_of_multiply_accumulates_not_of_operators():
    """Two small products in float32 beside a large one in 8 bits."""
    found = run(("int8", 900), ("fp32", 50), ("fp32", 50))
    assert {"fp32 on CPU": 100, "int8 on CPU": 900} == found.macs
    assert 0.9 == found.share
    assert "fp32+int8" == found.precision
    assert "engine 1.0: int8 on CPU 90.0 %, fp32 on CPU 10.0 %" == str(found)


def test_a_name_that_most_of_the_work_contradicts_is_an_error():
    """One small layer in 8 bits makes no network of 8 bits."""
    with pytest.raises(TechniqueError, match=r"mislabelled: engine .* in int8, .* run in fp32 on CPU 99.0 %, int8 "):
        run(("int8", 1), ("fp32", 99))


@pytest.mark.parametrize(("products", "ran"), [([("fp32", 5)], "fp32 on CPU 100.0 %"), ([("fp32", None)], "fp32")])
def test_a_label_that_nothing_runs_in_is_an_error(products, ran):
    """An engine falls back in silence."""
    with pytest.raises(TechniqueError, match=f"run in {ran};"):
        run(*products, wanted="bf16")
    with pytest.raises(TechniqueError, match="run in none;"):
        run(wanted="bf16")


def test_products_of_unknown_size_have_precisions_and_no_shares():
    """One of them is enough: a share of the rest would be a share of something else."""
    found = run(("int8", None), ("fp32", 9))
    assert {} == found.macs
    assert found.share is None
    assert "engine 1.0: fp32+int8" == str(found)


def test_a_network_that_multiplies_nothing_computes_in_float32():
    """As torch does."""
    assert Executed(engine="engine", version="1.0", wanted="fp32", precision="fp32") == run(wanted="fp32")


def test_work_follows_from_shapes():
    """Of a convolution, its transposed form, a product of matrices, attention and a recurrent layer."""
    assert 2 * 8 * 5 * 5 * (3 * 9) == convolution([2, 8, 5, 5], [8, 3, 3, 3])
    assert 2 * 3 * 5 * 5 * (8 * 4) == transposed_convolution([2, 3, 5, 5], [3, 8, 2, 2])
    assert 2 * 7 * 10 == product([2, 7], 10)
    assert 2 * 4 * (6 * 5 * (3 + 9)) == attention([2, 4, 6, 3], [2, 4, 5, 3], [2, 4, 5, 9])
    assert 2 * 5 * (4 * 8 * 6 + 4 * 8 * 8) == recurrent([2, 5, 6], [1, 32, 6], [1, 32, 8])


def test_what_else_an_engine_says_follows_the_shares():
    """Such as the operators that it left to other kernels."""
    found = replace(run(("int8", 9)), remark="5 operators by XNNPACK, 0 not")
    assert "engine 1.0: int8 on CPU 100.0 %; 5 operators by XNNPACK, 0 not" == str(found)
