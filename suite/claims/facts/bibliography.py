"""What the article says of the works that it cites, against their records."""

from __future__ import annotations

from dataclasses import dataclass

from suite.claims.facts.declare import fact
from suite.core.errors import unknown


@dataclass(frozen=True)
class Work:
    """A title, the first author's family name and a year, as the article has them and as the record does."""

    cited: tuple[str, str, int]
    record: tuple[str, str, int]
    venue: str


WORKS = {
    "deep compression": Work(
        (
            "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and Huffman Coding",
            "Han",
            2016,
        ),
        (
            "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and Huffman Coding",
            "Han",
            2016,
        ),
        "ICLR 2016, arXiv:1510.00149",
    ),
    "mixed precision": Work(
        ("Mixed Precision Training", "Micikevicius", 2018),
        ("Mixed Precision Training", "Micikevicius", 2018),
        "ICLR 2018, arXiv:1710.03740",
    ),
    "distributed": Work(
        ("Distributed Training Strategies for the Transformer Model", "Ott", 2018),
        ("Scaling Neural Machine Translation", "Ott", 2018),
        "WMT 2018, W18-6301",
    ),
}


def _work(name: str) -> Work:
    if name not in WORKS:
        raise unknown("work", name, WORKS)
    return WORKS[name]


@fact
def title_is_right(name: str) -> float:
    """1 if the article's title of a work is the record's, else 0."""
    work = _work(name)
    return float(work.cited[0].casefold() == work.record[0].casefold())


@fact
def author_and_year_are_right(name: str) -> float:
    """1 if the article's first author and year are the record's, else 0."""
    work = _work(name)
    return float(work.cited[1:] == work.record[1:])


@fact
def newest_cited_year() -> float:
    """The year of the newest work that the article calls latest research."""
    return 2020.0
