"""What must hold for every family of curves: a property takes a `Case` and raises `Broken` with what it found."""
