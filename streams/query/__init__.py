"""The query store: orders, reviews and triggers as rows, written by a consumer of its own."""
