"""What runs measured over time, one file a machine; no gate looks at it."""
