"""What the article says of the works that it cites, against their records."""

from __future__ import annotations

from dataclasses import dataclass

from suite.claims.facts.declare import fact
from suite.core.errors import unknown


@dataclass(frozen=True)
class CitedWork:
    """A title, the first author's family name and a year, as the article has them and as the record does."""

    cited: tuple[str, str, int]
    record: tuple[str, str, int]
    venue: str


def _right(title: str, author: str, year: int, venue: str) -> CitedWork:
    return CitedWork((title, author, year), (title, author, year), venue)


WORKS = {
    "deep compression": _right(
        "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and Huffman Coding",
        "Han",
        2016,
        "ICLR 2016, arXiv:1510.00149",
    ),
    "mixed precision": _right("Mixed Precision Training", "Micikevicius", 2018, "ICLR 2018, arXiv:1710.03740"),
    "distributed": CitedWork(
        ("Distributed Training Strategies for the Transformer Model", "Ott", 2018),
        ("Scaling Neural Machine Translation", "Ott", 2018),
        "WMT 2018, W18-6301",
    ),
    "efficientnet": _right(
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "Tan",
        2019,
        "ICML, arXiv:1905.11946",
    ),
    "once for all": _right(
        "Once-for-All: Train One Network and Specialize it for Efficient Deployment",
        "Cai",
        2020,
        "ICLR 2020, arXiv:1908.09791",
    ),
    "lottery ticket": _right(
        "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks",
        "Frankle",
        2019,
        "ICLR 2019, arXiv:1803.03635",
    ),
    "bert": _right(
        "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "Devlin",
        2019,
        "NAACL 2019, N19-1423",
    ),
    "efficientdet": _right(
        "EfficientDet: Scalable and Efficient Object Detection", "Tan", 2020, "CVPR 2020, arXiv:1911.09070"
    ),
    "mobilenetv2": _right(
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks", "Sandler", 2018, "CVPR 2018, arXiv:1801.04381"
    ),
}
"""The nine papers of the article's section 7.3."""


def _work(name: str) -> CitedWork:
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


@fact
def share_of_works_right(part: str) -> float:
    """The share of the cited papers whose ``title``, or ``author and year``, is the record's."""
    of = {"title": title_is_right, "author and year": author_and_year_are_right}
    if part not in of:
        raise unknown("part of a citation", part, of)
    return sum(map(of[part], WORKS)) / len(WORKS)
