"""Folds the log again along the journal and compares it with what Redis and shop.triggers hold."""
