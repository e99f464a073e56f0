"""Where a page ended, as one word for a command line: base64 of JSON, without padding."""

import base64
import binascii
from typing import Annotated, TypeAlias, TypeVar

import msgspec

from streams.query.facts import storable

#: What both stores can compare an integer with.
StoredInteger: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

#: A named tuple of integers and texts.
Key = TypeVar("Key", bound=tuple[object, ...])


def written(key: tuple[object, ...]) -> str:
    """``key`` as a word."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_key(word: str, kind: type[Key], command: str) -> Key:
    """The ``kind`` that ``written`` made ``word`` of. Raises ValueError, which names the command that prints
    such words, for anything else.
    """
    try:
        raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        key = msgspec.json.decode(raw, type=kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        key = None
    # A text with a NUL is in no store, and PostgreSQL cannot even look for it.
    if key is None or any(isinstance(each, str) and storable(each) != each for each in key):
        raise ValueError(f"{word!r} is no page: give what `{command}` printed")
    return key
