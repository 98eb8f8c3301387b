"""A space over the tiny registry and a search whose measurements are made up."""

from random import Random

import tiny

from suite.analysis.search.objectives import parse_objectives
from suite.analysis.search.optimize import SearchLoop
from suite.analysis.search.space import space
from suite.analysis.search.storage import open_study
from suite.analysis.search.trials import TrialError

OBJECTIVES = parse_objectives(maximise=["speedup"], budgets=["bytes=100kB"])
IDENTITY = {"workload": "halves"}
SPEEDUPS = {"nhwc": 2.0, "halved": 0.5, "wrapped": 1.5}


def tiny_space(*texts, most=4):
    return space(tiny.registry(), texts or ("nhwc", "halved", "wrapped"), most=most)


def made_up(text):
    """Speed-ups multiply; what is halved takes more than is allowed."""
    value = 1.0
    for name, gain in SPEEDUPS.items():
        value *= gain if name in text else 1.0
    return {"speedup": (value, None, None), "artefact_bytes": (2e5 if "halved" in text else 1e4, None, None)}


def failing_for(name):
    def measure(text):
        if name in text:
            raise TrialError("no channel is left")
        return made_up(text)

    return measure


def search_loop(
    storage, *, measure=made_up, refusal=lambda _text: None, texts=(), most=4, seed=0, said=None, objectives=OBJECTIVES
):
    study = open_study(str(storage), objectives, IDENTITY, seed=seed)
    random = Random(seed + len(study.trials))  # noqa: S311  # no secret
    return SearchLoop(
        study=study, space=tiny_space(*texts, most=most), objectives=objectives, measure=measure, refusal=refusal,
        say=(lambda _line: None) if said is None else said.append, random=random,
    )  # fmt: skip
