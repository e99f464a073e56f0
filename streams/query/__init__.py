"""The query store: orders, reviews, products, triggers and verdicts as rows, by a consumer of its own."""
