"""What to do next: profiles and bottlenecks of a cell, and advice from a learning curve."""
