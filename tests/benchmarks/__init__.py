"""Benchmarks: how much CPU an event costs, and how soon a coupon can be read (docs/performance.md)."""
