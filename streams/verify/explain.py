"""Says in what two things differ, field by field."""

from collections.abc import Iterator
from typing import Any

import msgspec

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.state.codec import StateCodecError, decode

#: Fields named of one difference.
SHOWN = 5
#: Characters of one value.
VALUE_LENGTH = 80
_ABSENT = "absent"


def fields(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    """Every leaf that differs, as ``cart.lines[0].quantity: log 2, found 3``."""
    if expected == found:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            below = f"{path}.{name}" if path else str(name)
            yield from fields(expected.get(name, _ABSENT), found.get(name, _ABSENT), below)
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            left = expected[index] if index < len(expected) else _ABSENT
            right = found[index] if index < len(found) else _ABSENT
            yield from fields(left, right, f"{path}[{index}]")
    else:
        yield f"{path or 'value'}: log {_short(expected)}, found {_short(found)}"


def listed(differing: Iterator[str]) -> str:
    """The first few, and how many more there are."""
    names = list(differing)
    more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def states(expected: CustomerState, found: bytes) -> str:
    """In what the state in Redis differs from the one folded again."""
    try:
        state = decode(found)
    except StateCodecError as error:
        return f"Redis's bytes cannot be read: {error}"
    shop = ShopSettings(expected.shop_id)
    differing = listed(fields(describe(expected, shop), describe(state, shop)))
    if differing:
        return differing
    # Something that people are not shown, as the ids seen.
    return listed(fields(msgspec.to_builtins(expected), msgspec.to_builtins(state), "state"))


def json_values(expected: bytes, found: bytes) -> str:
    """In what two JSON records differ."""
    try:
        differing = listed(fields(msgspec.json.decode(expected), msgspec.json.decode(found)))
    except msgspec.MsgspecError as error:
        return f"the record cannot be read: {error}"
    return differing or "only in the spelling of the same JSON"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}..."
