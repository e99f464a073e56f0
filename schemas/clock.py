"""shop.clock (internal): the records that move a partition's watermark; msgpack, no key.

Times are milliseconds since 1970-01-01 UTC. ``clock`` is ``WALL`` for the owners' own ticks and the
tool's own id while a replay or simulator holds the clock.
"""

import msgspec

WALL = "wall"


class Tick(msgspec.Struct, tag="tick", array_like=True, frozen=True):
    """``ends``: per input topic, the partition's high watermark, got after ``time`` was taken."""

    partition: int
    time: int
    clock: str
    #: The owner's group generation; 0 from a tool.
    epoch: int
    ends: dict[str, int]
    #: Offsets up to which the definition topics must have been read.
    definitions: dict[str, int] = {}
    #: Seconds of this clock that pass in one second of wall time; 0: as fast as it goes.
    rate: float = 1.0


class Rebase(msgspec.Struct, tag="rebase", array_like=True, frozen=True):
    """A tool takes the clock over: only ticks of ``clock`` count, from ``time`` to ``until``."""

    partition: int
    time: int
    until: int
    clock: str
    rate: float = 0.0


class Close(msgspec.Struct, tag="close", array_like=True, frozen=True):
    """The tool's last tick, at the end of its window; it hands the clock back to the wall."""

    partition: int
    time: int
    clock: str
    ends: dict[str, int]
    definitions: dict[str, int] = {}


class RecordCause(msgspec.Struct, tag="record", array_like=True, frozen=True):
    """The record at ``offset`` of ``topic`` (its name in Kafka)."""

    topic: str
    offset: int


class TimerCause(msgspec.Struct, tag="timer", array_like=True, frozen=True):
    """A customer's timer of ``kind`` that is due at ``due`` (ms); ``key`` is the state's."""

    key: str
    kind: str
    due: int


SkipCause = RecordCause | TimerCause


class Skip(msgspec.Struct, tag="skip", array_like=True, frozen=True):
    """An operator's word that ``cause``, which cannot be folded, is to be left out.

    Read out of turn: a partition that is paused for ``cause`` goes on without it. It is applied, in
    the order of the log, once the partition stands behind ``cause``, so that it is read again until
    a commit has named it.
    """

    partition: int
    cause: SkipCause
    reason: str = ""


ClockRecord = Tick | Rebase | Close | Skip
encode_clock = msgspec.msgpack.Encoder().encode
decode_clock = msgspec.msgpack.Decoder(ClockRecord).decode
