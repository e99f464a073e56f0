"""Paid orders by where they go."""

from streams.reports.honest import orders
from streams.reports.paid import by_column

REPORT = by_column("regions", "Regions", "region", orders.c.region)
