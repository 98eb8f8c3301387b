"""What a run leaves behind: its folder of records, tidy frames, trade-off tables and the text for the terminal.

Importing this package loads neither pandas nor numpy; the functions that need them import them.
"""

from suite.report.results.folder import RunFolder, latest, point_latest, run_name

__all__ = ["RunFolder", "latest", "point_latest", "run_name"]
