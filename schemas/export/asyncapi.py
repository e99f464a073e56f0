"""The AsyncAPI 3 document: channels, keys, retention and messages of every topic, with examples."""

import json
from typing import Any, Final

from schemas.catalogue import TOPICS, Placement, Topic
from schemas.envelope import Envelope
from schemas.examples import examples_of
from schemas.export.json_schema import INTERNAL_TYPES, components, event_name

#: Of the contract, not of the software: raised when a type gets a new version.
CONTRACT_VERSION: Final = "1.0.0"
#: How many partitions and replicas the document shows; a stack chooses its own.
_SHOWN_PARTITIONS: Final = 8
_SHOWN_REPLICAS: Final = 3
_REFERENCE: Final = "#/components/schemas/{name}"

_DESCRIPTION: Final = """\
Events of e-commerce shops in, coupons and messages for their customers out.

Records are CloudEvents 1.0 in structured JSON mode (binary mode is read too). The key of a record
is its subject; the partitioner is murmur2, the default of Java's and kafka-python's producers (for
librdkafka: partitioner=murmur2_random). Topics use LogAppendTime: event time is the attribute
`time`, nowhere else.
"""


def asyncapi() -> dict[str, Any]:
    """The document, as the worker sees it: it receives customers' events and sends triggers."""
    events = [event for topic in TOPICS.values() for event in topic.events]
    payloads, shared = components(events, _REFERENCE)
    payload_of = dict(zip(events, payloads, strict=True))
    messages = {}
    for topic in TOPICS.values():
        for event in topic.events:
            messages[event_name(event)] = _event_message(topic, event, payload_of[event])
        if topic.name in INTERNAL_TYPES:
            messages[topic.name] = _internal_message(topic)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "huitou",
            "version": CONTRACT_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": dict(_operation(topic) for topic in TOPICS.values()),
        "components": {"messages": messages, "schemas": shared},
    }


def _message_names(topic: Topic) -> list[str]:
    """The messages of a topic: its events' types, or the topic for internal records."""
    internal = [topic.name] if topic.name in INTERNAL_TYPES else []
    return [*map(event_name, topic.events), *internal]


def _channel(topic: Topic) -> dict[str, Any]:
    settings = topic.configuration(min_insync_replicas=2)
    return {
        "address": topic.name,
        "description": (
            f"{topic.description} Written by {', '.join(topic.producers)}; "
            f"read by {', '.join(topic.consumers)}."
        ),
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions(_SHOWN_PARTITIONS),
                "replicas": _SHOWN_REPLICAS,
                "topicConfiguration": {
                    "cleanup.policy": [settings["cleanup.policy"]],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": int(settings["max.message.bytes"]),
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> tuple[str, dict[str, Any]]:
    action = "send" if "worker" in topic.producers else "receive"
    channel = f"#/channels/{topic.name}"
    return f"{action} {topic.name}", {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _message_names(topic)],
        "summary": topic.description,
    }


def _event_message(topic: Topic, event: type[Envelope], payload: dict[str, Any]) -> dict[str, Any]:
    placement = (
        "murmur2 of the key chooses the partition."
        if topic.placement is Placement.BY_KEY
        else "The writer names the partition."
    )
    return {
        "name": event_name(event),
        "summary": topic.description,
        "contentType": "application/cloudevents+json",
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"{topic.key}. {placement}"},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [
            {"name": example.title, "payload": json.loads(example.value)}
            for example in examples_of(topic, event)
        ],
    }


def _internal_message(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "summary": topic.description,
        "description": f"Internal, without a key; its fields are in {topic.name}.schema.json.",
        "contentType": "application/x-msgpack",
        "payload": {"type": "array"},
    }
