"""Temporary."""


def snapshot(device):
    return None


def doubt(before, after):
    return None
