"""JSON Schema (2020-12) of every record, with requirements that depend on an action or status."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from schemas.catalogue import CLOCK, JOURNAL, TOPICS
from schemas.clock import ClockRecord
from schemas.envelope import Envelope
from schemas.journal import JournalRow

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: Topics whose records are msgpack without an envelope, and the type of those records.
INTERNAL_TYPES: Final[dict[str, Any]] = {CLOCK: ClockRecord, JOURNAL: JournalRow}


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` of ``struct`` is required where ``deciding`` is one of ``values``.

    schemas.requirements checks it with code of its own, which costs less; a test compares the two.
    """

    struct: str
    field: str
    deciding: str
    values: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        return {
            "if": {"properties": {self.deciding: {"enum": list(self.values)}}},
            "then": {
                "required": [self.field],
                "properties": {self.field: {"not": {"type": "null"}}},
            },
        }


CONDITIONS: Final = (
    Condition("Cart", "sku", "action", ("add", "remove", "set")),
    Condition("Order", "refund_id", "status", ("refund_requested", "refund_withdrawn", "refunded")),
    Condition("Review", "rating", "action", ("posted",)),
    Condition("Service", "case_id", "action", ("inquiry", "replied", "complaint", "resolved")),
    Condition("Service", "score", "action", ("survey_answered",)),
    Condition("Wish", "liker_id", "action", ("liked", "unliked")),
    Condition("Profile", "consent", "action", ("consent",)),
    Condition("Profile", "alias_of", "action", ("alias",)),
    Condition("Product", "price", "action", ("price_changed",)),
    Condition("Product", "stock", "action", ("stock_changed",)),
)


def event_name(event: type[Envelope]) -> str:
    """The type of an event on the wire, as ``shop.click.v1``."""
    return str(event.__struct_config__.tag)


def components(types: Sequence[Any], ref_template: str) -> tuple[list[Any], dict[str, Any]]:
    """The schemas of ``types`` and the definitions they share, referred to as ``ref_template``."""
    schemas, shared = msgspec.json.schema_components(types, ref_template=ref_template)
    shared = {name: _without_discriminators(schema) for name, schema in shared.items()}
    for condition in CONDITIONS:
        if condition.struct in shared:
            shared[condition.struct].setdefault("allOf", []).append(condition.schema())
    return list(schemas), shared


def _without_discriminators(schema: Any) -> Any:
    """``schema`` without OpenAPI's discriminators, which AsyncAPI reads as something else."""
    if isinstance(schema, dict):
        return {
            name: _without_discriminators(inner)
            for name, inner in schema.items()
            if not (name == "discriminator" and isinstance(inner, dict))
        }
    if isinstance(schema, list):
        return [_without_discriminators(inner) for inner in schema]
    return schema


def json_schemas() -> dict[str, dict[str, Any]]:
    """Type name (of an internal topic: the topic's) to its JSON Schema."""
    types: dict[str, Any] = {
        event_name(event): event for topic in TOPICS.values() for event in topic.events
    }
    types |= INTERNAL_TYPES
    named = {}
    for name, kind in types.items():
        (schema,), shared = components([kind], "#/$defs/{name}")
        named[name] = {"$schema": _DIALECT, "$id": f"{name}.schema.json", **schema, "$defs": shared}
    return named
