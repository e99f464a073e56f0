"""Figures: what a condition may ask of a customer's state. ``catalogue`` has all of them."""
