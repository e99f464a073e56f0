"""Campaigns as files: read with their places, checked, begun from templates, explained and documented."""
