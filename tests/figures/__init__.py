"""The reports against a second computation, in SQL over the raw files."""
