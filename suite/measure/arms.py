"""What is timed against what: served networks, each with inputs of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from suite.measure.integrity.outputs import ServedCall, request
from suite.training.copying import copied
from suite.training.devices import lay_out
from suite.training.loop import Trained
from suite.training.serving import Served, serve, warm_up
from suite.training.trees import Tree, fill_up, is_image, length

POOL = 32  # test items from which a check takes inputs that were not served yet
BASE, NULL, TECHNIQUE, IMAGES_LAST, KERNEL = "baseline", "null", "technique", "channels_last", "kernel"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A served network with inputs of its own: a technique may replace the data."""

    served: Served

    def inputs(self, batch: int) -> Tree:
        """``batch`` test items, repeated where there are fewer."""
        return fill_up(self._first(batch), batch)

    def _first(self, count: int) -> Tree:
        return self.served.recipe.data().test.first(count).inputs

    @property
    def flags(self) -> Mapping[str, int | str]:
        """The settings that it is timed under."""
        return self.served.recipe.flags

    def call(self, batch: int) -> ServedCall:
        """Serves one batch whose inputs are placed now; compiled and warmed up."""
        distinct = length(self._first(batch))
        made = request(self.served, self.inputs(batch), batch, distinct=distinct, pool=self._first(POOL))
        warm_up(self.served, made.placed)
        return made


def serving_arms(base: Trained, technique: Trained, *, is_baseline: bool) -> dict[str, Arm]:
    """The arms of a sample: the baseline, its null arm, the technique and, for images, the baseline in channels_last.

    Each arm is a network of its own, at its own addresses. If two arms shared a network, it would have twice as many
    turns and find its weights in the cache. On some CPUs that makes it 1 to 2 % faster than an identical network. The
    technique of the baseline's own cell is one more copy: an A/A test of the sampler.
    """
    arms = {
        BASE: Arm(served=serve(base)),
        NULL: Arm(served=serve(base)),
        TECHNIQUE: Arm(served=serve(base if is_baseline else technique)),
    }
    if base.recipe.layout == "contiguous" and is_image(base.recipe.data().test.first(1).inputs):
        arms[IMAGES_LAST] = Arm(served=serve(_in_channels_last(base)))
    return arms


def _in_channels_last(base: Trained) -> Trained:
    recipe = replace(base.recipe, layout="channels_last")
    return replace(base, recipe=recipe, network=lay_out(copied(base.network), recipe))
