"""Paid orders by how they were paid."""

from streams.reports.honest import orders
from streams.reports.paid import by_column

REPORT = by_column("payments", "Payment methods", "payment", orders.c.payment_method)
