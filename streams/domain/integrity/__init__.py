"""Fraud that makes figures larger: brushed orders and bought likes, with verdicts and their reversal."""
