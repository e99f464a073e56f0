"""States as bytes: a msgpack array whose first element is the version of the encoding
(docs/state.md).

Fields are only appended, so an older encoding is read with defaults, and what was bounded less then is
brought within today's bounds: a state may be full of parts that it did not have. A newer one is refused:
reading it would drop fields that another build wrote.
"""

import msgspec

from streams.domain.abandoned import bound_anew
from streams.domain.browsing import drop_sessions
from streams.domain.orders import bound_orders
from streams.domain.state import STATE_VERSION, CustomerState

CODEC_VERSION = STATE_VERSION

#: From this version on carts, sessions and the ids of orders are within today's bounds.
_BOUNDED = 3

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CustomerState).decode


class StateCodecError(Exception):
    """A state's bytes cannot be read."""


class NewerStateError(StateCodecError):
    """A state was written by a build with a newer encoding."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"this state is in encoding {version} and this build reads up to {CODEC_VERSION}, so a "
            "newer build has written it. Deploy readers first: bring everything that reads states "
            "to the newer build before anything writes with it"
        )
        self.version = version


class CorruptStateError(StateCodecError):
    """The bytes are no state in any encoding that this build knows."""


def encode(state: CustomerState) -> bytes:
    """The bytes of ``state``; equal states give equal bytes, in every process."""
    return _encode(state)


def decode(data: bytes) -> CustomerState:
    """The state of ``data``. Raises NewerStateError and CorruptStateError."""
    try:
        state = _decode(data)
    except msgspec.MsgspecError as error:
        version = _version(data)
        if version is not None and version > CODEC_VERSION:
            raise NewerStateError(version) from error
        raise CorruptStateError(
            f"{len(data)} bytes are no customer state ({error}). If the key is one of ours, "
            "rebuild the state from the log"
        ) from error
    if state.version != CODEC_VERSION:
        if state.version > CODEC_VERSION:
            raise NewerStateError(state.version)
        if state.version < _BOUNDED:
            _bound(state)
        state.version = CODEC_VERSION
    return state


def _bound(state: CustomerState) -> None:
    """Make room for the parts that a state of an older version has yet to get."""
    drop_sessions(state.browsing)
    if state.cart is not None:
        bound_anew(state.cart)
    if state.orders is not None:
        bound_orders(state.orders)


def _version(data: bytes) -> int | None:
    try:
        elements = msgspec.msgpack.decode(data, type=list[msgspec.Raw])
        return msgspec.msgpack.decode(elements[0], type=int) if elements else None
    except msgspec.MsgspecError:
        return None
