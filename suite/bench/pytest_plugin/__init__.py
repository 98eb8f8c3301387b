"""The run as a pytest plugin: a test for each cell and metric group."""
