"""Huffman's code: what comes back, how long it is, and what the shortest code of its kind would be."""
# the expected value stands on the left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.training.surgery import huffman

SYMBOLS = st.lists(st.integers(0, 255), max_size=200).map(lambda values: np.array(values, np.uint8))


@given(SYMBOLS)
def test_what_is_coded_decodes_to_itself(symbols):
    """None, one kind of symbol and all 256."""
    assert symbols.tolist() == huffman.decode(huffman.encode(symbols), len(symbols)).tolist()


@given(SYMBOLS.filter(lambda symbols: len(set(symbols.tolist())) > 1))
def test_the_code_is_within_a_bit_of_the_entropy_and_uses_up_its_tree(symbols):
    """Kraft's sum is 1, so no code could be shorter without another that is longer."""
    counts = np.bincount(symbols)
    shares = counts[counts > 0] / len(symbols)
    entropy, lengths = -(shares * np.log2(shares)).sum(), huffman.encode(symbols).lengths.astype(float)
    mean = (lengths[symbols]).mean()
    assert entropy - 1e-9 <= mean < entropy + 1
    assert 1 == pytest.approx((2.0 ** -lengths[lengths > 0]).sum())


def test_lengths_are_those_of_the_textbook():
    """Cormen et al., Introduction to Algorithms, 16.3: a to f occur 45, 13, 12, 16, 9 and 5 times; 224 bits."""
    symbols = np.repeat(np.arange(6, dtype=np.uint8), [45, 13, 12, 16, 9, 5])
    coded = huffman.encode(symbols)
    assert [1, 3, 3, 3, 4, 4] == coded.lengths.tolist()
    assert 224 // 8 == len(coded.bits)


def test_no_code_is_longer_than_the_table_decodes():
    """Counts that grow as Fibonacci's numbers would make codes of 24 bits."""
    counts = [1, 1]
    while len(counts) < 25:
        counts.append(counts[-1] + counts[-2])
    symbols = np.repeat(np.arange(25, dtype=np.uint8), counts)
    coded = huffman.encode(symbols)
    assert huffman.LONGEST >= coded.lengths.max()
    assert np.array_equal(symbols, huffman.decode(coded, len(symbols)))


@pytest.mark.parametrize("left", [0, 20, 191])
def test_a_code_that_is_cut_off_is_no_code(left):
    """Instead of symbols that nobody wrote; the last symbol's code may be cut as well."""
    coded = huffman.encode(np.arange(200, dtype=np.uint8))
    assert 191 < len(coded.bits)
    with pytest.raises(ValueError, match="ends before its 200 symbols"):
        huffman.decode(huffman.Coded(coded.bits[:left], coded.lengths), 200)


@given(SYMBOLS)
def test_pieces_make_no_difference(symbols):
    """Codes lie across their ends."""
    whole = huffman.encode(symbols)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huffman, "PIECE", 7)
        pieces = huffman.encode(symbols)
        assert whole.bits.tolist() == pieces.bits.tolist()
        assert symbols.tolist() == huffman.decode(whole, len(symbols)).tolist()
