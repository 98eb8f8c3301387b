"""Studies of the suite's own quality; they are not part of the wheel."""
