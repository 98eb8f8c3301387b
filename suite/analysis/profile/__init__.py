"""What a training or serving step spends its time on, against the ceilings of the machine."""
