"""The language in which marketing writes campaigns: what a definition may say, and what it means."""
