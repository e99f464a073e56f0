"""Conditions: what a campaign asks of a customer's state at a moment."""
