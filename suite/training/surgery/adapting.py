"""Recipes as users write them, made fit for measuring: own copies of networks, inputs and outputs as model hubs have.

A network takes one tree of tensors and answers with one. ``forward(input_ids, attention_mask)`` is called with a
dictionary's items as keywords, ``forward(x, mask)`` with a tuple's items; outputs that are a dataclass, a ModelOutput
or hold ``None`` become named tensors with the same attributes. Any other network is left as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from suite.training.data import opened
from suite.training.defaults import usual_class_loss, usual_loss
from suite.training.forms import Form
from suite.training.recipe import Recipe


def adapted(recipe: Recipe, *, classifies: bool, form: Form) -> Recipe:
    """``recipe`` with a model that gives each caller a network of its own, and the loss that fits its scores.

    ``form`` remembers from network to network how they answer.
    """
    from suite.training.surgery.rebuilding import rebuilt

    recipe = replace(recipe, data=opened(recipe.data), model=opened(recipe.model))  # load whenever they are asked
    loss = usual_class_loss if classifies and recipe.loss is usual_loss else recipe.loss
    return replace(recipe, model=rebuilt(recipe.model, lambda built: _own(built, recipe, form)), loss=loss)


def _own(built: Any, recipe: Recipe, form: Form) -> Any:
    """A copy of what a model returned (it may keep it, and return it again), its lazy layers made.

    What is no network is returned as it is, for the loop to refuse.
    """
    from torch import nn

    if not isinstance(built, nn.Module):
        return built
    from suite.training.copying import copied
    from suite.training.surgery.adapted import fit_in

    return fit_in(copied(built), recipe, form)
