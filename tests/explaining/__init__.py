"""Why an offer came or did not: folded again along rows, and asked of real workers' log."""
