"""Which part of a speed-up is the engine's, and which the precision's."""
# the expected value stands on the left

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.report.engine_gains import EAGER, ONE, EngineSpeed, Gain, engine_gains

PLACE = ("digits_cnn", "cpu", "speedup")
values = st.floats(0.1, 10)


def speed(technique, value, *, engine="openvino", precision="fp32", rest="baseline", **more):
    gain = value if isinstance(value, Gain) else Gain(value, value * 0.9, value * 1.1)
    kinds = {"place": PLACE, "ran": precision} | more
    return EngineSpeed(technique=technique, speedup=gain, engine=engine, precision=precision, rest=rest, **kinds)


def parts(*speeds):
    return {one.cell.technique: one for one in engine_gains(speeds)}


PLAIN = speed("openvino", 3.0)
BF16 = speed("openvino_bf16", 7.5, precision="bf16")


def test_a_speed_up_is_the_product_of_the_engine_and_the_precision():
    """The engine in float32 has no second part."""
    found = parts(PLAIN, BF16)
    assert PLAIN.speedup == found["openvino"].engine_gain == found["openvino_bf16"].engine_gain
    assert found["openvino"].precision_gain is None
    assert pytest.approx(2.5) == found["openvino_bf16"].precision_gain.value


def test_the_fair_partner_is_the_fastest_eager_cell_of_the_same_precision():
    """Compositions of several techniques are other networks."""
    eager = [
        speed(name, value, engine=EAGER, precision="bf16", rest=name)
        for name, value in {"amp_bf16": 1.5, "pure_bf16": 5.0, "pure_bf16+structured_pruning": 9.0}.items()
    ]
    found = parts(PLAIN, BF16, *eager)["openvino_bf16"]
    assert ("pure_bf16", pytest.approx(1.5)) == (found.equal_precision_partner, found.equal_precision_gain.value)
    assert parts(PLAIN, BF16)["openvino_bf16"].equal_precision_gain is None


def test_what_is_missing_leaves_its_part_out():
    """Without the engine in float32, in another place, or in an unknown precision."""
    assert (None, None) == (parts(BF16)["openvino_bf16"].engine_gain, parts(BF16)["openvino_bf16"].precision_gain)
    elsewhere = speed("openvino", 3.0, place=("digits_cnn", "cpu", "speedup_b1"))
    assert parts(elsewhere, BF16)["openvino_bf16"].engine_gain is None
    assert parts(PLAIN, speed("other", 4.0, engine="other", precision="unknown"))["other"].engine_gain is None


def test_a_composition_is_compared_with_its_own_network():
    """Pruning by itself is not the engine's gain."""
    pruned = speed("pruned", 2.0, engine=EAGER, rest="pruned")
    both = speed("pruned+openvino", 8.0, rest="pruned")
    assert pytest.approx(4.0) == parts(PLAIN, pruned, both)["pruned+openvino"].engine_gain.value
    assert parts(PLAIN, both)["pruned+openvino"].engine_gain is None


def test_a_disturbed_timing_makes_each_part_of_it_doubtful():
    """Of the engine in float32, too."""
    assert parts(speed("openvino", 3.0, suspect=True), BF16)["openvino_bf16"].suspect
    assert not parts(PLAIN, BF16)["openvino_bf16"].suspect


@given(values, values)
def test_the_interval_of_a_ratio_holds_it_and_is_wider_than_those_of_its_parts(first, second):
    """Their logarithms add in squares; 1 by definition adds nothing."""
    one, other = speed("a", first).speedup, speed("b", second).speedup
    ratio = one.over(other)
    assert ratio.low < ratio.value < ratio.high
    assert math.log(ratio.high / ratio.low) > math.log(one.high / one.low)
    assert pytest.approx(one.low) == one.over(ONE).low
    assert pytest.approx(one.value) == ratio.value * other.value


def test_a_ratio_without_an_interval_has_none():
    """As replicas of old runs."""
    assert Gain(4.0) == Gain(4.0).over(ONE)
