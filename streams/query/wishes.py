"""Wishes: rows by the rules of streams.domain.wishes.

A customer's wishes are computed anew from all that was said of them, but for likes. A wish may have very
many of these, so a like moves its own row, which is each liker's last word whatever came first, and one that
is left out has that row computed anew; all of a customer's are where the customer is erased, or anything else
of their wishes is left out. How many likes of a wish look bought the worker's verdicts say.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from schemas.wish import Wish as WishData
from streams.domain.wishes import ACTION_BITS, MADE
from streams.query.customer_records import each_once, keep_records, records_of
from streams.query.facts import REPLACEMENT, Customer, CustomerFact, storable
from streams.query.statements import KEYS, Row, among, chunks, delete_rows, insert_rows
from streams.query.tables import like_events, wish_attributes, wish_events, wish_likes, wishes
from streams.query.verdicts import ON_WISHES, Key

_WORDS: Final = {"unliked": 0, "liked": 1}
_SAID: Final = like_events.c.data
_decode = msgspec.json.Decoder(WishData).decode


class WishRows(NamedTuple):
    """All rows of a customer but likes."""

    wishes: list[dict[str, Any]]
    attributes: list[dict[str, Any]]


def wish_rows(facts: Iterable[CustomerFact]) -> WishRows:
    """The rows of a customer, of whom ``facts`` are all but likes; in any order, repeats included."""
    told: dict[str, list[tuple[CustomerFact, WishData]]] = {}
    for fact in each_once(facts):
        data = _decode(fact.data)
        told.setdefault(storable(data.wish_id), []).append((fact, data))
    rows, attributes = [], []
    for wish_id, own in told.items():
        key = dict(zip(("shop_id", "customer_id"), own[0][0].customer, strict=True))
        row, wanted = _wish_row(own)
        rows.append({**key, "wish_id": wish_id, **row})
        attributes += [
            {**key, "wish_id": wish_id, "name": name, "value": value} for name, value in wanted
        ]
    return WishRows(rows, attributes)


def _wish_row(
    told: Sequence[tuple[CustomerFact, WishData]],
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    made = [
        (fact.time_ms, storable(data.sku or ""), _attributes(data))
        for fact, data in told
        if data.action == "made"
    ]
    # Of two at one time the one with the lesser sku, then the lesser attributes, as in the live state.
    first = min(made, default=None)
    decisions = [
        (fact.time_ms, bit, data.action)
        for fact, data in told
        if (bit := ACTION_BITS.get(data.action, 0)) > MADE
    ]
    last = max(decisions, default=None)
    actions = [data.action for _, data in told]
    row = {
        "made_ms": first[0] if first else None,
        "sku": (first[1] or None) if first else None,
        "decision": last[2] if last else None,
        "decided_ms": last[0] if last else None,
        "comments": actions.count("commented"),
        "stories": actions.count("story"),
        "changed_ms": max(fact.time_ms for fact, _ in told),
    }
    return row, first[2] if first else []


def _attributes(data: WishData) -> list[tuple[str, str]]:
    """Sorted; of two names that the store holds alike the last."""
    wanted = {storable(name): storable(value) for name, value in sorted(data.attributes.items())}
    return sorted(wanted.items())


def like_rows(facts: Iterable[CustomerFact]) -> list[dict[str, Any]]:
    """Each liker's last word on each wish; at one time what takes it back."""
    last: dict[tuple[str, ...], tuple[int, int]] = {}
    for fact in facts:
        data = _decode(fact.data)
        key = (*fact.customer, storable(data.wish_id), storable(data.liker_id or ""))
        word = (fact.time_ms, -_WORDS[data.action])
        last[key] = max(word, last.get(key, word))
    names = ("shop_id", "customer_id", "wish_id", "liker_id")
    return [
        {**dict(zip(names, key, strict=True)), "liked": -word, "time_ms": time_ms}
        for key, (time_ms, word) in last.items()
    ]


def write_wishes(
    connection: Connection,
    facts: Sequence[CustomerFact],
    changed: Iterable[Customer],
    likes_gone: Iterable[CustomerFact] = (),
) -> None:
    """Take ``facts`` in, and compute anew the rows of their customers and of those that have ``changed``, and
    the words of likers of which one is gone.
    """
    likes = [fact for fact in facts if _decode(fact.data).action in _WORDS]
    like_places = {fact.place for fact in likes}
    others = [fact for fact in facts if fact.place not in like_places]
    keep_records(connection, wish_events, others)
    keep_records(connection, like_events, likes)
    anew = set(changed)
    touched = {*anew, *(fact.customer for fact in others)}
    rows = [wish_rows(own) for own in records_of(connection, wish_events, touched).values()]
    made = [row for each in rows for row in each.wishes]
    judged = ON_WISHES.holding(connection, map(_wish, made))
    for row in made:
        row["suspicious"] = _suspicious(judged.get(_wish(row)))
    for table, own in (
        (wishes, made),
        (wish_attributes, [row for each in rows for row in each.attributes]),
    ):
        delete_rows(connection, table, sorted(touched))
        insert_rows(connection, table, own)
    delete_rows(connection, wish_likes, sorted(anew))
    of_changed = [f for own in records_of(connection, like_events, anew).values() for f in own]
    insert_rows(connection, wish_likes, like_rows(of_changed))
    _say_likes_anew(connection, [fact for fact in likes_gone if fact.customer not in anew])
    _move_likes(connection, like_rows(fact for fact in likes if fact.customer not in anew))


def mark_wishes(connection: Connection, keys: Iterable[Key]) -> None:
    """Note of these stored wishes how many of their likes are held to be bought by now."""
    wanted = sorted(keys)
    judged = ON_WISHES.holding(connection, wanted)
    held = wishes.c
    for key in wanted:
        own = (held.shop_id == key[0], held.customer_id == key[1], held.wish_id == key[2])
        marked = update(wishes).where(*own).values(suspicious=_suspicious(judged.get(key)))
        connection.execute(marked)


def _wish(row: Row) -> Key:
    return row["shop_id"], row["customer_id"], row["wish_id"]


def _suspicious(verdict: Row | None) -> int:
    return 0 if verdict is None else int(verdict["suspicious"])


def _say_likes_anew(connection: Connection, gone: Iterable[CustomerFact]) -> None:
    """Compute the rows of these likers' words on these wishes from what is left of them."""
    by_wish: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for row in like_rows(gone):
        key = _like(row)
        by_wish.setdefault(key[:3], set()).add(key)
    for (shop_id, customer_id, wish_id), keys in by_wish.items():
        # More than the wish's at most: SQLite takes no notice of case here. Ids that are stored alike though
        # they are not have U+FFFD in them.
        text = msgspec.json.encode(wish_id).decode()
        only = () if REPLACEMENT in wish_id else (_SAID.contains(text, autoescape=True),)
        left = records_of(connection, like_events, [(shop_id, customer_id)], *only)
        delete_rows(connection, wish_likes, sorted(keys))
        rows = like_rows(fact for facts in left.values() for fact in facts)
        insert_rows(connection, wish_likes, [row for row in rows if _like(row) in keys])


def _move_likes(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the words that come after those stored."""
    held = wish_likes.c
    key = [held.shop_id, held.customer_id, held.wish_id, held.liker_id]
    stored: dict[tuple[str, ...], tuple[int, int]] = {}
    for some in chunks(sorted(map(_like, rows)), KEYS):
        for row in connection.execute(select(wish_likes).where(among(connection, key, some))):
            stored[row[:4]] = (row.time_ms, -row.liked)
    later = [
        row for row in rows if (row["time_ms"], -row["liked"]) > stored.get(_like(row), (-1, -1))
    ]
    insert_rows(connection, wish_likes, later, existing="replace")


def _like(row: Row) -> tuple[str, ...]:
    return row["shop_id"], row["customer_id"], row["wish_id"], row["liker_id"]
