"""Work in fresh processes: their requests and their answers."""
