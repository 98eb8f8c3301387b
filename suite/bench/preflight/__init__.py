"""What is found out before anything trains: whether each workload, and each technique on it, can do one step."""
