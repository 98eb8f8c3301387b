"""Statistics of the gate: intervals, tests for many metrics at once, interim analyses, proportions, the null arm."""
