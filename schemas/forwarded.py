"""Which record of an older generation of topics a record is a copy of.

`huitou repartition` forwards what nobody had processed. A reader of both generations, such as the query
store's sink, would else have the event at two places, and a verdict on the one would not reach the other.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

#: A header of forwarded records; its value is ``topic/partition/offset`` of the record that was forwarded.
#: One that was forwarded twice has two.
FORWARDED_FROM: Final = "huitou-forwarded-from"
_MOST_PARTITION: Final = 2**31 - 1
_MOST_OFFSET: Final = 2**63 - 1


#: A header of forwarded definitions: when the broker appended the record that was forwarded, ms since 1970.
#: What counts of shop.campaigns goes by it, and a copy arrives long after what it says takes effect.
ARRIVED: Final = "huitou-arrived"


class Origin(NamedTuple):
    topic: str
    partition: int
    offset: int


def forwarded_header(topic: str, partition: int, offset: int) -> tuple[str, bytes]:
    """The header of the copy of the record at this place."""
    return FORWARDED_FROM, f"{topic}/{partition}/{offset}".encode()


def arrived_header(timestamp: int) -> tuple[str, bytes]:
    """The header of the copy of a record that was appended at ``timestamp`` (ms since 1970)."""
    return ARRIVED, str(timestamp).encode()


def arrived(headers: Iterable[tuple[str, bytes | None]], timestamp: int) -> int:
    """When a record first arrived: by its oldest copy's header, else ``timestamp``, its own (ms since 1970).

    >>> arrived([arrived_header(17), arrived_header(40)], 90), arrived([(ARRIVED, b"x")], 90)
    (17, 90)
    """
    for name, value in headers or ():
        if name == ARRIVED and value is not None and len(value) < 19 and value.isdigit():
            return int(value)
    return timestamp


def origins(headers: Iterable[tuple[str, bytes | None]]) -> list[Origin]:
    """The places that a record was forwarded from, oldest first; what cannot be read is no place.

    >>> origins([forwarded_header("shop.orders", 3, 17), ("trace", b"x")])
    [Origin(topic='shop.orders', partition=3, offset=17)]
    """
    if not headers:
        return []
    found = []
    for name, value in headers:
        if name == FORWARDED_FROM and value is not None:
            topic, *place = value.decode("utf-8", "replace").split("/")
            if len(place) == 2 and all(each.isascii() and each.isdigit() for each in place):
                partition, offset = (int(each[:20]) for each in place)
                if partition <= _MOST_PARTITION and offset <= _MOST_OFFSET:
                    found.append(Origin(topic, partition, offset))
    return found
