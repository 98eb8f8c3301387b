"""What a run leaves behind: its folder of records, frames, trade-off tables and the text for the terminal.

Importing this package loads neither pandas nor numpy; the functions that need them import them.
"""

from suite.report.results.folder import RunFolder, latest, point_latest, run_name
from suite.report.tabular import pivots
from suite.report.tabular.exporting import save
from suite.report.tabular.loading import load

__all__ = ["RunFolder", "latest", "load", "pivots", "point_latest", "run_name", "save"]
