"""What is added to a shop's figures for each event that was folded."""

from streams.domain.aggregates.visits import aggregate

__all__ = ["aggregate"]
