"""Taobao's user behaviour sample (Alibaba Tianchi data set 649) as shop events.

Rows are ``customer,item,category,behaviour,seconds since 1970`` without a header, grouped by
customer; behaviours are pv (view), fav (favourite), cart and buy. What the source does not know
stays absent: it has no prices, no sessions, no orders. So:

- pv is a click ``view``, fav a click ``favorite``, cart a cart ``add`` of one piece;
- buy is one order, paid at once, of one line and one piece, its amount unknown. Its order id is
  derived from the row's number, ``row-<n>``: rows of one checkout are not told apart;
- an event's id is ``<n>``, the row's number in the file (1 is the first), its source ``taobao``.
"""

from __future__ import annotations  # array[int] is no expression before Python 3.12

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, NamedTuple

from producers.publish import decompressed
from producers.source import Record
from schemas.catalogue import CARTS, CLICKS, ORDERS

SOURCE: Final = "taobao"
_BEHAVIOURS: Final = {b"pv": 0, b"fav": 1, b"cart": 2, b"buy": 3}
_TOPICS: Final = (CLICKS, CLICKS, CARTS, ORDERS)
#: Times from 2001 to 2100. A line that was cut inside its time has fewer than ten digits left, and
#: would else be an event of the 1970s, from which to the others a replay would take decades.
_SECONDS: Final = range(1_000_000_000, 4_102_444_800)
#: Longest customer, item or category that the contract takes, in characters.
_ID_LENGTH: Final = 64
#: A loop's customers are named apart: 7 of the second round is "7-1".
_ROUND: Final = b"-%d"


class RefusedRow(NamedTuple):
    """A row that is no behaviour, by its number."""

    line: int
    detail: str


class Sample(NamedTuple):
    """The rows of a file in the order of their times; of equal times, in the file's.

    In memory 25 bytes a row (90 while they are sorted) and each distinct name once: the file
    of 84,475 rows takes 12 MB at most, the whole data set of 100 million rows would take 9 GB.
    """

    numbers: array[int]
    seconds: array[int]
    behaviours: bytearray
    #: Indexes into ``names``.
    customers: array[int]
    items: array[int]
    categories: array[int]
    names: list[bytes]

    def __len__(self) -> int:
        return len(self.numbers)


def read_sample(
    path: Path,
    *,
    limit: int | None = None,
    since: int | None = None,
    before: int | None = None,
    on_refused: Callable[[RefusedRow], None],
) -> Sample:
    """Reads ``path``, gzip or not; ``limit``: only its first rows.

    ``since`` and ``before`` (seconds since 1970) keep the rows of a window. Rows that cannot be
    read are reported and left out.
    """
    with path.open("rb") as raw:
        return _sorted(_read(decompressed(raw), limit, since, before, on_refused))


def _read(
    stream: IO[bytes],
    limit: int | None,
    since: int | None,
    before: int | None,
    on_refused: Callable[[RefusedRow], None],
) -> Sample:
    sample = Sample(array("I"), array("q"), bytearray(), array("I"), array("I"), array("I"), [])
    index: dict[bytes, int] = {}

    def place(name: bytes) -> int:
        found = index.setdefault(name, len(index))
        if found == len(sample.names):
            sample.names.append(name)
        return found

    for number, line in enumerate(stream, 1):
        if limit is not None and number > limit:
            break
        try:
            customer, item, category, behaviour, seconds = _parse(line)
        except ValueError as error:
            on_refused(RefusedRow(number, str(error)))
            continue
        if (since is not None and seconds < since) or (before is not None and seconds >= before):
            continue
        sample.numbers.append(number)
        sample.seconds.append(seconds)
        sample.behaviours.append(behaviour)
        sample.customers.append(place(customer))
        sample.items.append(place(item))
        sample.categories.append(place(category))
    return sample


def _parse(line: bytes) -> tuple[bytes, bytes, bytes, int, int]:
    """The fields of a row. Raises ValueError with what is wrong."""
    fields = line.rstrip(b"\r\n").split(b",")
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields instead of 5")
    for name in fields[:3]:
        if not name.isalnum() or len(name) > _ID_LENGTH:
            raise ValueError(f"{name[:80]!r} is no id")
    behaviour = _BEHAVIOURS.get(fields[3])
    if behaviour is None:
        raise ValueError(f"{fields[3][:80]!r} is none of pv, fav, cart, buy")
    if not fields[4].isdigit() or int(fields[4]) not in _SECONDS:
        raise ValueError(f"{fields[4][:80]!r} is no time in seconds since 1970, 2001 to 2100")
    return fields[0], fields[1], fields[2], behaviour, int(fields[4])


def _sorted(sample: Sample) -> Sample:
    order = sorted(range(len(sample)), key=sample.seconds.__getitem__)

    def by_time(values: array[int]) -> array[int]:
        return array(values.typecode, map(values.__getitem__, order))

    return Sample(
        by_time(sample.numbers),
        by_time(sample.seconds),
        bytearray(map(sample.behaviours.__getitem__, order)),
        by_time(sample.customers),
        by_time(sample.items),
        by_time(sample.categories),
        sample.names,
    )


class TaobaoFeed:
    """A sample as a feed, ``total`` records of it: round after round, with customers of their own.

    A round's customers are other people ("7-1" is customer 7 of the second round), its events have
    ids of their own ("1-84475"), and its times follow the round before. ``shift_to_ms`` moves all
    times so that the first is there.
    """

    name = SOURCE

    def __init__(
        self,
        sample: Sample,
        *,
        shop_id: str = "taobao",
        total: int | None = None,
        shift_to_ms: int | None = None,
    ) -> None:
        if not len(sample):
            raise ValueError("the sample has no row that can be read")
        self._sample = sample
        self._shop = shop_id.encode()
        self.total = len(sample) if total is None else total
        first, last = sample.seconds[0], sample.seconds[-1]
        #: From the first row of a round to the first of the next; a second apart from the last.
        self._round_seconds = last - first + 1
        self._shift = 0 if shift_to_ms is None else shift_to_ms - first * 1000
        rounds, rest = divmod(self.total, len(sample))
        self.start_ms = first * 1000 + self._shift
        self.until_ms = self._time_ms(rounds, rest - 1) if rest else self._time_ms(rounds - 1, -1)

    def records(self) -> Iterator[Record]:
        """The records by event time."""
        left, number = self.total, 0
        while left > 0:
            for record, _ in zip(self._round(number), range(left), strict=False):
                yield record
            left -= len(self._sample)
            number += 1

    def _time_ms(self, round_number: int, index: int) -> int:
        seconds = self._sample.seconds[index] + round_number * self._round_seconds
        return seconds * 1000 + self._shift

    def _round(self, number: int) -> Iterator[Record]:
        sample, shop, names = self._sample, self._shop, self._sample.names
        suffix = _ROUND % number if number else b""
        prefix = b"%d-" % number if number else b""
        shift = number * self._round_seconds * 1000 + self._shift
        stamped_ms, stamp = -1, b""
        for row, seconds, behaviour, customer, item, category in zip(
            sample.numbers,
            sample.seconds,
            sample.behaviours,
            sample.customers,
            sample.items,
            sample.categories,
            strict=True,
        ):
            time_ms = seconds * 1000 + shift
            if time_ms != stamped_ms:
                stamped_ms, stamp = time_ms, _rfc3339(time_ms)
            key = names[customer] + suffix
            event_id = prefix + b"%d" % row
            # Ids are letters and digits (see _parse), so none needs escaping; written by hand this
            # takes a quarter of the time of a struct and its encoder.
            value = _EVENTS[behaviour] % (
                event_id,
                key,
                stamp,
                _DATA[behaviour](shop, event_id, names[item], names[category]),
            )
            yield Record(time_ms, _TOPICS[behaviour], key, value)


_ENVELOPE: Final = (
    b'","specversion":"1.0","source":"taobao","id":"%s","subject":"%s","time":"%s","data":%s}'
)
_EVENTS: Final = tuple(
    b'{"type":"' + kind + _ENVELOPE
    for kind in (b"shop.click.v1", b"shop.click.v1", b"shop.cart.v1", b"shop.order.v1")
)


def _click(action: bytes) -> Callable[[bytes, bytes, bytes, bytes], bytes]:
    form = b'{"shop_id":"%s","action":"' + action + b'","sku":"%s","category":"%s"}'
    return lambda shop, _, item, category: form % (shop, item, category)


def _cart(shop: bytes, _: bytes, item: bytes, category: bytes) -> bytes:
    return b'{"shop_id":"%s","action":"add","sku":"%s","category":"%s","quantity":1}' % (
        shop,
        item,
        category,
    )


def _order(shop: bytes, event_id: bytes, item: bytes, category: bytes) -> bytes:
    return (
        b'{"shop_id":"%s","order_id":"row-%s","status":"paid",'
        b'"lines":[{"sku":"%s","category":"%s","quantity":1}]}'
    ) % (shop, event_id, item, category)


_DATA: Final = (_click(b"view"), _click(b"favorite"), _cart, _order)


def _rfc3339(time_ms: int) -> bytes:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = time_ms % 1000
    return (f"{moment}.{milliseconds:03}Z" if milliseconds else f"{moment}Z").encode()
