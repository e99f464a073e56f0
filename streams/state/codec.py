"""States as bytes, as everything that reads and writes them here names it: streams.domain.codec, where
folding finds it too, for a state that is sent to another key.
"""

from streams.domain.codec import (
    CODEC_VERSION,
    CorruptStateError,
    NewerStateError,
    StateCodecError,
    decode,
    encode,
)

__all__ = [
    "CODEC_VERSION",
    "CorruptStateError",
    "NewerStateError",
    "StateCodecError",
    "decode",
    "encode",
]
