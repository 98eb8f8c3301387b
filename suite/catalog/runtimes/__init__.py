"""The built-in runtimes, one file each: techniques that say what runs the trained network."""
