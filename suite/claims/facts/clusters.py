"""Simulated queues, pipelines and servers: what a bottleneck, a batch and a load do."""

from __future__ import annotations

import heapq
import math

from suite.claims.facts.declare import fact

SERVICE = 0.05  # seconds of a request on one replica
LEAST, MOST = 1, 8  # replicas
DAY = 600  # seconds of the trace, which holds one rise and fall of the load
PEAK = 100.0  # requests a second
WINDOW = 10  # seconds that the policy looks back
SPARE = 0.7  # of a replica's time that the policy uses


@fact
def pipeline_rate(first: float, second: float) -> float:
    """Items a second through two stages of these rates, played through for 1,000 items."""
    done = [0.0, 0.0]
    for _ in range(1000):
        done[0] += 1 / first
        done[1] = max(done) + 1 / second
    return 1000 / done[1]


@fact
def efficiency(first: float, last: float) -> float:
    """Gain of the article's Gompertz curve for each unit of resources, between two resources."""
    from suite.curves import article

    return float(article.GOMPERTZ(last) - article.GOMPERTZ(first)) / (last - first)


def _arrivals() -> list[float]:
    """Times of Poisson arrivals whose rate rises from a tenth of the peak to it, and falls again."""
    import random

    draw, now, found = random.Random(0), 0.0, []  # noqa: S311  # no secret
    while now < DAY:
        now += draw.expovariate(PEAK)
        if draw.random() < 0.1 + 0.9 * math.sin(math.pi * now / DAY) ** 2:
            found.append(now)
    return found


def _wanted(seen: int) -> int:
    """Replicas for as many requests in the last window."""
    return min(MOST, max(LEAST, math.ceil(seen / WINDOW * SERVICE / SPARE)))


def _served(*, scaled: bool) -> tuple[list[float], float]:
    """Latencies and replica-seconds; a replica that is added serves from the next arrival on."""
    arrivals = _arrivals()
    free, waits, cost, begun, last = [0.0] * MOST, [], 0.0, 0, 0.0
    for place, now in enumerate(arrivals):
        while arrivals[begun] < now - WINDOW:
            begun += 1
        replicas = _wanted(place - begun) if scaled else MOST
        cost, last = cost + replicas * (now - last), now
        free = [*heapq.nsmallest(replicas, free), *heapq.nlargest(MOST - replicas, free)]
        start = max(now, free[0])
        free[0] = start + SERVICE
        waits.append(free[0] - now)
    return sorted(waits), cost


@fact
def autoscaling_cost() -> float:
    """Replica-seconds of a server that follows its load, over those of a fixed one with replicas for the peak."""
    return _served(scaled=True)[1] / _served(scaled=False)[1]


@fact
def autoscaling_p99() -> float:
    """Its 99th percentile of latency in seconds, under the same arrivals."""
    waits, _ = _served(scaled=True)
    return waits[int(0.99 * len(waits))]
