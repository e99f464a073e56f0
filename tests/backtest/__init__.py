"""Campaigns by recorded events: against folding by hand, and against what a live worker issued."""
