"""Recorded event histories, and what folding them gave: a change of either is there to be reviewed."""
