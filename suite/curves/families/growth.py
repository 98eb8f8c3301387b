"""Families that go from a start to an end along a share that grows from 0 to 1."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from suite.curves.families.curve import Array, Curve, Interval
from suite.curves.families.stable import columns, times


class Growth(Curve):
    """``start + rise * share(r)``, where the share is 0 at no resource and approaches 1."""

    @property
    @abstractmethod
    def start(self) -> float:
        """The quality at no resource."""

    @property
    @abstractmethod
    def end(self) -> float:
        """The quality that unlimited resources approach."""

    @property
    @abstractmethod
    def rise(self) -> float:
        """``end - start``, from the parameters: the difference of two rounded ends loses its digits."""

    @classmethod
    @abstractmethod
    def share(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        """The share [...] of the way that is gone, and what remains of it, each to full precision."""

    @classmethod
    @abstractmethod
    def slopes(cls, resource: Array, **nonlinear: Any) -> tuple[Array, Array]:
        """First and second derivative [...] of the share."""

    @classmethod
    @abstractmethod
    def quantile(cls, share: Array, left: Array, **nonlinear: Any) -> Array:
        """The resource [...] at which ``share`` of the way is gone and ``left`` remains."""

    def derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(times(self.rise, self.slopes(self.checked(resource), **self.shape)[0]))

    def second_derivative(self, resource: ArrayLike) -> Array:
        return np.asarray(times(self.rise, self.slopes(self.checked(resource), **self.shape)[1]))

    def inverse(self, quality: ArrayLike) -> Array:
        start, end, rise = self.start, self.end, self.rise
        return self.solved(quality, lambda q: self.quantile((q - start) / rise, (end - q) / rise, **self.shape))

    @property
    def reached(self) -> Interval:
        return min(self.start, self.end), max(self.start, self.end)

    @property
    def asymptote(self) -> float:
        return self.end


class FromNothing(Growth):
    """Growth from 0 to ``top``."""

    top: float
    linear = ("top",)
    start = 0.0

    @property
    def end(self) -> float:
        return self.top

    @property
    def rise(self) -> float:
        return self.top

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(cls.share(resource, **nonlinear)[0])


class FromOffset(Growth):
    """Growth from ``a - b`` to ``a``."""

    a: float
    b: float
    linear = ("a", "b")

    @property
    def start(self) -> float:
        return self.a - self.b

    @property
    def end(self) -> float:
        return self.a

    @property
    def rise(self) -> float:
        return self.b

    @classmethod
    def shapes(cls, resource: Array, **nonlinear: Any) -> Array:
        return columns(1.0, -cls.share(resource, **nonlinear)[1])
