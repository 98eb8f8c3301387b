"""What a user's file ends with where the files and verdicts of a run are tested, and not how well it timed."""


def brief(seconds):
    """Lines of Python that leave a sample of batches about so many seconds, however uncertain its figure is then.

    Latencies keep theirs: of few there is no 99th percentile.
    """
    return f"""

import dataclasses as _dataclasses

from suite.measure import speed as _speed

_speed.DEFAULT = _speed.QUICK = _speed.REPLICA = _dataclasses.replace(
    _speed.QUICK, batch={seconds}, single={seconds}, training={seconds}, longest=5.0
)
"""
