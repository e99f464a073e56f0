"""Recorded data sets, played into a stack by their own time."""
