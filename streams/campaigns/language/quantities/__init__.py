"""Quantities as people write them: durations, money, shares, clock spans, rates. One a file."""
