"""The orders that every figure is of: all but those that are held to be brushed (刷单).

Reports take ``orders`` from here and not from the tables, so a verdict takes an order out of all of them, and
a reversal puts it back. Both databases merge the sub-select into the statement around it, so that it is read
along the same indexes. Only ``brushing``, which is about the orders left out, asks the table itself.
"""

from typing import Final

from sqlalchemy import Subquery, select

from streams.query import tables

orders: Final[Subquery] = (
    select(tables.orders).where(tables.orders.c.brushed == 0).subquery("orders")
)
