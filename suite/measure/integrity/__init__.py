"""Checks that what was timed did the work: outputs of timed calls, effects of timed training steps."""
