"""What every other part builds on: records, metrics, statistics, units, errors and the machine."""
