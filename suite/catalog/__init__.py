"""What users add, one file each: techniques, workloads, scores, data sets, networks."""
