"""Campaigns as marketing writes them: the language, its files and its commands."""
