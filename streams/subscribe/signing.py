"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them: https://www.standardwebhooks.com.

HMAC-SHA256 over ``<id>.<timestamp>.<body>``, in base64, after ``v1,``.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
#: Seconds by which a timestamp may be off: older ones are replays.
TOLERANCE_SECONDS: Final = 300
_PREFIX: Final = "whsec_"
#: What the specification asks of a secret, in bytes.
_LEAST, _MOST = 24, 64


class SecretError(ValueError):
    """A secret that signs nothing. It never quotes the secret."""


class SignatureError(Exception):
    """A request that was not signed with any of the secrets, or too long ago."""


class Signer:
    """Signs with every secret, so that receivers can change theirs while both are valid.

    ``secrets``: ``whsec_`` and base64 of 24 to 64 bytes each. Raises SecretError.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise SecretError(
                "no secret: a line with whsec_ and base64 of 24 to 64 bytes is needed"
            )
        self._keys = [_key(number, text) for number, text in enumerate(secrets, 1)]

    @classmethod
    def of_file(cls, path: Path) -> "Signer":
        """Of a file with a secret a line, beside comments (#). Raises OSError, SecretError."""
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        return cls([line for line in lines if line and not line.startswith("#")])

    def headers(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of a request; ``timestamp`` in seconds since 1970."""
        signed = self._signatures(message_id, str(timestamp), body)
        return {
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: " ".join(f"v1,{signature}" for signature in signed),
        }

    def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """The id of a request whose headers (names in lower case) sign ``body``, for receivers in Python.

        Raises SignatureError for a missing header, a timestamp more than five minutes off ``now``
        (seconds since 1970), or no signature by one of the secrets.
        """
        try:
            message_id, timestamp = headers[ID_HEADER], headers[TIMESTAMP_HEADER]
            given = headers[SIGNATURE_HEADER].split()
            seconds = int(timestamp)
        except (KeyError, ValueError) as error:
            raise SignatureError(f"a header is missing or no number: {error}") from None
        if abs(now - seconds) > TOLERANCE_SECONDS:
            raise SignatureError("the timestamp is more than five minutes off")
        right = [f"v1,{signature}" for signature in self._signatures(message_id, timestamp, body)]
        if not any(
            hmac.compare_digest(one.encode(), other.encode()) for one in given for other in right
        ):
            raise SignatureError("no signature is right: another secret, or the body was changed")
        return message_id

    def _signatures(self, message_id: str, timestamp: str, body: bytes) -> list[str]:
        content = f"{message_id}.{timestamp}.".encode() + body
        return [
            base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
            for key in self._keys
        ]


def _key(number: int, text: str) -> bytes:
    if not text.startswith(_PREFIX):
        raise SecretError(f"secret {number} does not begin with {_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"secret {number} is not base64 after {_PREFIX}") from None
    if not _LEAST <= len(key) <= _MOST:
        raise SecretError(f"secret {number} has {len(key)} bytes, it needs {_LEAST} to {_MOST}")
    return key
