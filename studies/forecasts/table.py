"""How good forecasts are on real learning curves: against classical families and against repeating the last value.

Fits every curve on sizes up to a quarter of its largest and predicts the top two doublings. Intervals of the figures
come from resampling data sets, since the curves of one data set are alike.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studies.forecasts.planted import noise, planted
from studies.forecasts.rivals import FAMILIES, predict
from studies.forecasts.samples import CurveSample, padded, read
from suite.curves.forecasting import ExtrapolationError, Forecast, extrapolate

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

RESAMPLES = 1000
CONFIDENCE = 0.95
LEVELS = (0.90, 0.80)
DEPTHS = (0.2, 0.3, 0.5)  # of planted dips, in ranges of their curve
CLEAR = 5.0  # standard deviations of the noise that they are at least deep
TIMED_POINTS = 40
TARGETS = {
    "RMSE / best family": "<= 0.75",
    "better than the last value": ">= 0.70",
    "coverage at 90 %": "0.85 to 0.95",
    "coverage at 80 %": "0.75 to 0.85",
    "false abstention, ordinary curves": "<= 0.10",
    "recall, dips of 0.3 ranges": ">= 0.90",
    "curves/s": ">= 2000",
}


def main(folder: str | Path) -> int:
    """Print the table of a folder in LCDB's format; exit code 0, or 2 if it holds no curves."""
    try:
        table = study(Path(folder))
    except ExtrapolationError as error:
        print(error, file=sys.stderr)  # noqa: T201  # the command line prints
        return 2
    print(table.to_markdown(floatfmt=".3f"))  # noqa: T201
    return 0


def study(folder: Path) -> pd.DataFrame:
    """Figures of a folder in LCDB's format, with their 95 % bootstrap interval over data sets and their target."""
    frame = per_curve(read(folder))
    best = min(FAMILIES, key=lambda family: float(np.median(frame[family])))
    table = _bootstrapped(frame, best)
    table.loc["curves/s"] = [frame.attrs["speed"], np.nan, np.nan]
    table["target"] = [TARGETS.get(str(name), "") for name in table.index]
    table.index.name = f"{len(frame)} curves, {frame['dataset'].nunique()} data sets; best family {best}"
    return table


def per_curve(samples: list[CurveSample]) -> pd.DataFrame:
    """One row a curve: RMSE of the forecast and of each rival, coverage, abstention, planted dips that were found."""
    import pandas as pd

    x, y = _stacked(samples, "x", front=True), _stacked(samples, "y", front=True, fill=np.nan)
    to, future = _stacked(samples, "to", front=False), _stacked(samples, "future", front=False, fill=np.nan)
    frame = pd.DataFrame({name: [getattr(s, name) for s in samples] for name in ("dataset", "learner", "ordinary")})
    for level in LEVELS:
        forecast = extrapolate(x, y, to=to, level=level, kind="accuracy")
        frame[f"coverage {level}"] = _coverage(forecast, future)
    frame["forecast"], frame["last"] = _rmse(forecast.mean, future), _rmse(forecast.last, future)
    frame["abstained"] = [reason is not None for reason in forecast.abstained or ()]
    for family in FAMILIES:
        frame[family] = _rmse(predict(family, x, y, to), future)
    for depth in DEPTHS:
        frame[f"found {depth}"] = _found(samples, depth)
    frame.attrs["speed"] = _speed(x[:, -TIMED_POINTS:], y[:, -TIMED_POINTS:], to[:, :2])
    return frame


def _stacked(samples: list[CurveSample], name: str, *, front: bool, fill: float | None = None) -> Array:
    return padded([getattr(sample, name) for sample in samples], front=front, fill=fill)


def summary(frame: pd.DataFrame, best: str) -> pd.Series:
    """The figures of the table from the rows of `per_curve`; ``best`` is the single family to compare with."""
    import pandas as pd

    ordinary = frame[frame["ordinary"]]
    reference = frame[best].median()
    return pd.Series(
        {
            "RMSE / best family": frame["forecast"].median() / reference,
            "RMSE of the last value / best family": frame["last"].median() / reference,
            "better than the last value": (frame["forecast"] < frame["last"]).mean(),
            "best family better than the last value": (frame[best] < frame["last"]).mean(),
            **{f"coverage at {100 * level:.0f} %": frame[f"coverage {level}"].mean() for level in LEVELS},
            "ordinary curves": frame["ordinary"].mean(),
            "false abstention, ordinary curves": ordinary["abstained"].mean(),
            "abstention, all curves": frame["abstained"].mean(),
            **{f"recall, dips of {depth} ranges": ordinary[f"found {depth}"].mean() for depth in DEPTHS},
        }
    )


def _bootstrapped(frame: pd.DataFrame, best: str) -> pd.DataFrame:
    import pandas as pd

    rows = list(frame.groupby("dataset").indices.values())
    draw = np.random.default_rng(0)
    picks = (draw.integers(len(rows), size=len(rows)) for _ in range(RESAMPLES))
    again = pd.DataFrame([summary(frame.iloc[np.concatenate([rows[i] for i in pick])], best) for pick in picks])
    tail = (1 - CONFIDENCE) / 2
    return pd.DataFrame({"value": summary(frame, best), "low": again.quantile(tail), "high": again.quantile(1 - tail)})


def _rmse(predicted: Array, truth: Array) -> Array:
    return np.asarray(np.sqrt(np.nanmean((predicted - truth) ** 2, axis=-1)))


def _coverage(forecast: Forecast, truth: Array) -> Array:
    inside = (forecast.low <= truth) & (truth <= forecast.high)
    return np.asarray(inside.sum(-1) / np.isfinite(truth).sum(-1))


def _found(samples: list[CurveSample], depth: float) -> Array:
    """Share of the planted dips of each curve that its forecast abstains from [k]."""
    draw = np.random.default_rng(0)
    dips = [_dips(sample, depth, draw) for sample in samples]
    per_curve = len(dips[0])
    x = padded([s.x for s in samples for _ in range(per_curve)], front=True)
    y = padded([dip for each in dips for dip in each], front=True, fill=np.nan)
    said = extrapolate(x, y, to=2 * x[:, -1:], kind="accuracy").abstained or ()
    found = np.array([reason is not None for reason in said], dtype=np.float64)
    return np.asarray(found.reshape(-1, per_curve).mean(-1))


def _dips(sample: CurveSample, depth: float, draw: np.random.Generator) -> list[Array]:
    deep = max(depth * float(np.ptp(sample.y)), CLEAR * noise(sample.y))
    return list(planted(np.log2(sample.x / sample.x[-1]), sample.y, deep, draw).values())


def _speed(x: Array, y: Array, to: Array) -> float:
    """Forecasts per second, every curve with its own resources: the best of three rounds."""
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        extrapolate(x, y, to=to, kind="accuracy")
        rounds.append(time.perf_counter() - start)
    return len(x) / min(rounds)
