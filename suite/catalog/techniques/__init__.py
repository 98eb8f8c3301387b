"""The built-in techniques, one file each; every module here is imported when a technique is first looked up."""
