"""What an example is, and how one of an event is written down."""

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Example:
    """One record: ``key`` is None where the topic's records have none."""

    topic: str
    title: str
    key: bytes | None
    value: bytes


def event(
    topic: str, kind: str, title: str, subject: str, time: str, data: dict[str, Any], **also: str
) -> Example:
    """An event in its envelope; its id is the title unless ``also`` has one."""
    envelope = {
        "specversion": "1.0",
        "id": also.get("id", title.replace(" ", "-")),
        "source": also.get("source", "storefront"),
        "type": kind,
        "subject": subject,
        "time": time,
        "data": data,
    }
    return Example(topic, title, subject.encode(), msgspec.json.encode(envelope))
