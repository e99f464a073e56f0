"""shop.deadletters: every record that could not be read, with its bytes, position and reason."""

from typing import Literal

import msgspec

from schemas.envelope import Envelope

Reason = Literal[
    "not_json", "wrong_type", "missing_field", "invalid_value", "future_time", "body_too_large",
    "null_key", "key_not_subject", "wrong_partition", "null_value",
]  # fmt: skip


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``key`` and ``value`` are base64 on the wire; a longer value is cut, its length and SHA-256 say so."""

    topic: str
    partition: int
    offset: int
    reason: Reason
    detail: str = ""
    key: bytes | None = None
    value: bytes | None = None
    value_bytes: int = 0
    value_sha256: str = ""


class DeadLetterEvent(Envelope, tag="shop.deadletter.v1"):
    data: DeadLetter
