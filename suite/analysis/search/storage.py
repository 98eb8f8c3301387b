"""Where a search keeps its trials: a journal file that several processes may share, or a database's URL.

optuna comes with the extra ``search`` and is imported when a search starts.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.analysis.search.objectives import Objectives
from suite.core.errors import ResultsError, SetupError

if TYPE_CHECKING:
    import optuna

INSTALL = "a search needs optuna, which is not installed: pip install 'tradeoff-suite[search]'"
STUDY, IDENTITY = "suite", "identity"
STARTUP = 10  # random trials before the sampler models which ones are good


def require_optuna() -> None:
    """Raise `SetupError` with the command that installs it where optuna is missing."""
    if importlib.util.find_spec("optuna") is None:
        raise SetupError(INSTALL)


def open_study(storage: str, objectives: Objectives, identity: Mapping[str, Any], *, seed: int) -> optuna.Study:
    """The study in a storage, made where there is none. Raises `ResultsError` for one of another search."""
    require_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        opened = _opened(storage)
        there = STUDY in optuna.get_all_study_names(opened)
        if there:
            _check(optuna.load_study(study_name=STUDY, storage=opened).user_attrs.get(IDENTITY), identity, storage)
        study = optuna.create_study(
            storage=opened, study_name=STUDY, load_if_exists=True,
            directions=["minimize" if each.better == "lower" else "maximize" for each in objectives.optimized],
        )  # fmt: skip
        if not there:
            study.set_user_attr(IDENTITY, dict(identity))
    except ResultsError:
        raise
    except Exception as error:  # whatever a file of another kind or a database answers
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsError(f"the storage {storage} cannot be used: {said}; name another --storage") from error
    study.sampler = _sampler(seed + len(study.trials))  # a search that goes on must not draw the same again
    return study


def _sampler(seed: int) -> optuna.samplers.TPESampler:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=STARTUP)


def _opened(storage: str) -> optuna.storages.BaseStorage:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    if "://" in storage:
        return optuna.storages.get_storage(storage)
    Path(storage).parent.mkdir(parents=True, exist_ok=True)
    return optuna.storages.JournalStorage(JournalFileBackend(storage))


def _check(before: Mapping[str, Any] | None, now: Mapping[str, Any], storage: str) -> None:
    """A study goes on only with the same question, code, data and machine: else its figures do not belong together."""
    changed = sorted(name for name in now if before is not None and before.get(name) != now[name])
    if changed:
        first = changed[0]
        was = None if before is None else before.get(first)
        raise ResultsError(
            f"the storage {storage} holds a search of other {', '.join(changed)} ({first}: {_short(was)}, now "
            f"{_short(now[first])}); name another --storage"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


LONGEST = 100  # characters of a value in a message
