"""What customers said of themselves: a row a customer, by the live state's own fold.

It is computed anew from all records of the customer (``profile_events``), so it is a function of their set.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from schemas.profile import Profile as ProfileData
from streams.domain.duplicates import hash_of
from streams.domain.profile import Profile, consents_of, fold_profile
from streams.query.customer_records import each_once, keep_records, records_of
from streams.query.facts import Customer, CustomerFact, storable, storable_or_none
from streams.query.statements import delete_rows, insert_rows
from streams.query.tables import profile_events, profiles

#: The fields that a row has as they are; empty in the state: never said.
_TEXTS: Final = ("birthday", "gender", "age_band", "income_band", "education", "region")

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(ProfileData).decode


def profile_row(facts: Iterable[CustomerFact]) -> dict[str, Any]:
    """The row of a customer, of whom ``facts`` (at least one) are all; in any order, repeats included."""
    once = each_once(facts)
    profile = Profile()
    for fact in once:
        event_key = hash_of(fact.source, fact.event_id)
        fold_profile(profile, _decode(fact.data), fact.time_ms, event_key)
    shop_id, customer_id = once[0].customer
    consents = {channel: given for channel, (given, _) in consents_of(profile).items()}
    return {
        "shop_id": shop_id,
        "customer_id": customer_id,
        **{name: storable_or_none(getattr(profile, name) or None) for name in _TEXTS},
        "tags": _encode([storable(tag) for tag in profile.tags]).decode(),
        "consents": _encode(consents).decode(),
        "joined_ms": profile.joined_at,
        "changed_ms": once[-1].time_ms,
    }


def write_profiles(
    connection: Connection, facts: Sequence[CustomerFact], changed: Iterable[Customer]
) -> None:
    """Take ``facts`` in, and compute anew the rows of their customers and of those that have ``changed``."""
    keep_records(connection, profile_events, facts)
    touched = {*changed, *(fact.customer for fact in facts)}
    by_customer = records_of(connection, profile_events, touched)
    delete_rows(connection, profiles, sorted(touched - by_customer.keys()))
    rows = [profile_row(own) for own in by_customer.values()]
    insert_rows(connection, profiles, rows, existing="replace")
