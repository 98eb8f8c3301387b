"""EfficientDet's compound family: one number scales the backbone, the pyramid, the heads and the images together.

Tan, Pang & Le 2020, https://arxiv.org/abs/1911.09070, tables 1 and 2: parameters and multiply-accumulates (which the
paper calls FLOPs) as they print them, in two or three digits.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "efficientdet_d"
MILLION = 1e6


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network of the family.

    ``backbone`` is B0 to B6 of EfficientNet, ``pixels`` the side of the images, ``channels`` and ``cells`` those of the
    bidirectional pyramid, ``layers`` of each head; ``weighted`` is false where it adds features as they are.
    ``millions`` of parameters and ``gmacs`` are the paper's, ``decimals_of_millions`` as many as it prints.
    """

    backbone: int
    pixels: int
    channels: int
    cells: int
    layers: int
    millions: float
    gmacs: float
    decimals_of_millions: int = 0
    weighted: bool = True


FAMILY = {
    f"{PREFIX}{phi}": member
    for phi, member in enumerate(
        (
            Member(
                backbone=0, pixels=512, channels=64, cells=3, layers=3, millions=3.9, gmacs=2.5, decimals_of_millions=1
            ),
            Member(
                backbone=1, pixels=640, channels=88, cells=4, layers=3, millions=6.6, gmacs=6.1, decimals_of_millions=1
            ),
            Member(
                backbone=2, pixels=768, channels=112, cells=5, layers=3, millions=8.1, gmacs=11, decimals_of_millions=1
            ),
            Member(backbone=3, pixels=896, channels=160, cells=6, layers=4, millions=12, gmacs=25),
            Member(backbone=4, pixels=1024, channels=224, cells=7, layers=4, millions=21, gmacs=55),
            Member(backbone=5, pixels=1280, channels=288, cells=7, layers=4, millions=34, gmacs=135),
            Member(backbone=6, pixels=1280, channels=384, cells=8, layers=5, millions=52, gmacs=226, weighted=False),
            Member(backbone=6, pixels=1536, channels=384, cells=8, layers=5, millions=52, gmacs=325, weighted=False),
        )
    )
}
"""The members by name."""
