"""The built-in workloads, one file each; every module here is imported when a workload is first looked up."""
