"""Work in fresh processes: what is asked of them and how they answer."""
