"""`suite search`: the best composition of techniques within budgets, found by measuring compositions."""
