"""What this machine is and has, and the quiet process that timings need."""
