"""WordPiece: texts as numbers of a vocabulary's pieces, as BERT without upper case reads them.

Devlin et al. 2019, https://arxiv.org/abs/1810.04805, and its published tokenizer. Written here because a package for it
would be an import of half a second for thirty lines; a test compares it with that package where it is installed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

PADDING, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
LONGEST = 100  # characters of a word; a longer one is unknown
CONTROL = ("Cc", "Cf", "Co")  # left out, unlike what Unicode has not assigned yet
CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F))
ASCII = r"!-/:-@\[-`{-~"  # what BERT calls punctuation even where Unicode calls it a symbol


def encode(texts: Iterable[str], vocabulary: Mapping[str, int], tokens: int) -> Tensor:
    """Numbers [N, ``tokens``] of the pieces between a first and a last mark; the rest is cut or padded."""
    rows = []
    for text in texts:
        pieces = [piece for word in words(text) for piece in split(word, vocabulary)][: tokens - 2]
        marked = [FIRST, *pieces, LAST]
        rows.append([vocabulary[piece] for piece in marked + [PADDING] * (tokens - len(marked))])
    return torch.tensor(rows, dtype=torch.long).reshape(-1, tokens)


def words(text: str) -> list[str]:
    """Lower case without accents; each mark of punctuation and each Chinese character is a word."""
    plain = "".join(" " if _is_space(character) else character for character in text if _is_kept(character))
    bare = "".join(c for c in unicodedata.normalize("NFD", _lowered(plain)) if unicodedata.category(c) != "Mn")
    return [found for word in bare.split(" ") for found in _parts(word)]


def split(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """The longest pieces from the left; one that does not begin the word has ``##`` before it."""
    if len(word) > LONGEST:
        return [UNKNOWN]
    found, begin = [], 0
    while begin < len(word):
        prefix = "##" if begin else ""
        ends = range(len(word), begin, -1)
        end = next((end for end in ends if prefix + word[begin:end] in vocabulary), None)
        if end is None:
            return [UNKNOWN]
        found.append(prefix + word[begin:end])
        begin = end
    return found


def _is_space(character: str) -> bool:
    return character in "\t\n\r" or unicodedata.category(character)[0] == "Z"


def _is_kept(character: str) -> bool:
    return _is_space(character) or (unicodedata.category(character) not in CONTROL and character not in "\0\ufffd")


def _lowered(text: str) -> str:
    """Character by character, as published: a sigma at the end of a word is no other letter."""
    return "".join(character.lower() for character in text)


def _parts(word: str) -> Iterator[str]:
    begun = ""
    for character in word:
        if _stands_alone(character):
            yield from filter(None, (begun, character))
            begun = ""
        else:
            begun += character
    if begun:
        yield begun


def _stands_alone(character: str) -> bool:
    chinese = any(first <= ord(character) <= last for first, last in CHINESE)
    return chinese or re.match(f"[{ASCII}]", character) is not None or unicodedata.category(character)[0] == "P"
