"""Customers by their scores, and thresholds from the population."""
