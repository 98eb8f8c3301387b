"""Multiply-accumulates by precision and device."""
# the expected value stands on the left

from suite.core.work_shares import main_precision, precision_of, shares_text


def test_the_main_precision_is_that_of_most_work_on_all_devices():
    """Of no work there is none."""
    assert "fp32" == main_precision({"int8 on CPU": 3, "fp32 on CPU": 2, "fp32 on CUDA": 2})
    assert main_precision({}) is None
    assert "int8" == precision_of("int8 on GPU.1")


def test_the_largest_share_comes_first():
    """Nothing is said of no work."""
    assert "fp32 on CPU 75.0 %, int8 on CPU 25.0 %" == shares_text({"int8 on CPU": 1, "fp32 on CPU": 3})
    assert "" == shares_text({})
