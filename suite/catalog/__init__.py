"""What users add, one file each: techniques, runtimes, workloads, scores, data sets, networks."""
