"""Reads shop.campaigns once, whole, and writes to it: what commands need. Everything here blocks."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Producer

from schemas.campaign import CampaignChange, CampaignEvent
from schemas.catalogue import CAMPAIGNS
from schemas.envelope import BODY_BYTES
from streams.campaigns.applied.log import CampaignLog, RefusedChange
from streams.campaigns.applied.view import Campaigns
from streams.engine.log import LogReader
from streams.engine.log_errors import LogUnreadable
from streams.settings import Settings

#: Records that do not count of which the reason is kept: the newest.
MOST_REFUSED: Final = 100
#: Offsets read at a time.
_CHUNK: Final = 1_000
_DELIVERY_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 10.0


class CampaignTopicError(Exception):
    """Kafka does not answer, or did not take a record; the message says what to do."""


class Refused(NamedTuple):
    """A record that does not count."""

    offset: int
    reason: str


class AsRead(NamedTuple):
    """``refused``: the newest of ``refused_records``, in order."""

    campaigns: Campaigns
    refused: Sequence[Refused]
    refused_records: int


def read_campaigns(settings: Settings) -> AsRead:
    """All that is in the topic now. Raises CampaignTopicError, a LogError where the log lost something."""
    place = (settings.topic_prefix + CAMPAIGNS, 0)
    log = CampaignLog()
    refused: list[Refused] = []
    count = 0
    with LogReader(settings.kafka_bootstrap, answer_within=_ANSWER_SECONDS) as reader:
        try:
            end = reader.stable_ends([place])[place]
        except LogUnreadable as error:
            raise CampaignTopicError(
                f"{place[0]} at {settings.kafka_bootstrap} does not answer ({error.reason}): is Kafka up, "
                "and was `huitou topics create` run?"
            ) from error
        for start in range(0, end, _CHUNK):
            for record in reader.read_range(*place, start, min(start + _CHUNK, end)):
                try:
                    log.add(record)
                except RefusedChange as error:
                    count += 1
                    refused = [*refused[1 - MOST_REFUSED :], Refused(record.offset, str(error))]
    return AsRead(log.upto(end), refused, count)


def encode_change(change: CampaignChange, time: datetime) -> bytes:
    """The record's value. Raises RefusedChange where it is longer than is read."""
    time = time.astimezone(UTC)
    named = msgspec.json.encode([change, time], order="sorted")
    event = CampaignEvent(
        specversion="1.0",
        id=hashlib.blake2b(named, digest_size=16).hexdigest(),
        source="huitou campaigns",
        subject=change.shop_id,
        time=time,
        data=change,
    )
    value = msgspec.json.encode(event)
    if len(value) > BODY_BYTES:
        raise RefusedChange(
            f"{change.campaign} takes {len(value)} bytes, at most {BODY_BYTES} are read"
        )
    return value


def write_changes(settings: Settings, changes: Sequence[CampaignChange], time: datetime) -> None:
    """Write the changes in order. Raises RefusedChange before anything is written, CampaignTopicError."""
    values = [encode_change(change, time) for change in changes]
    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": int(_DELIVERY_SECONDS * 1000),
        }
    )
    for change, value in zip(changes, values, strict=True):
        producer.produce(
            settings.topic_prefix + CAMPAIGNS,
            key=change.shop_id.encode(),
            value=value,
            partition=0,
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
    left = producer.flush(_DELIVERY_SECONDS)
    if left or failures:
        raise CampaignTopicError(
            f"{max(left, len(failures))} of {len(changes)} changes are perhaps not written "
            f"({failures[0] if failures else 'no answer'}): run it again, what is there is not written twice"
        )
