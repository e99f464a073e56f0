"""Kinds of fields: how each is read from what was written, written again, and described."""
