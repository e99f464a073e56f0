"""The records that only huitou's own processes read: the clock and the journal."""

from typing import Final

import msgspec

from schemas.catalogue import CLICKS, CLOCK, JOURNAL, ORDERS, SETTINGS
from schemas.clock import WALL, Close, Rebase, RecordCause, Skip, Tick, encode_clock
from schemas.examples.example import Example
from schemas.journal import (
    GENESIS,
    JOURNAL_VERSION,
    ClockState,
    Fired,
    JournalRow,
    Slice,
    chain,
    encode_row,
)

_ROW: Final = JournalRow(
    version=JOURNAL_VERSION,
    seq=1,
    previous=GENESIS,
    epoch=1,
    slices=[Slice(CLICKS, 0, 40, 40, 3_735_928_559)],
    clock=ClockState(WALL, 1_779_264_000_000, 0, 1.0, 1_779_263_995_000, 1),
    latest=1_779_264_000_000,
    fired=None,
    skip=None,
    definitions={SETTINGS: 2},
    build="0.1.0",
    codec=1,
    config="5feceb66ffc86f38",
    code_key="1",
    rows=bytes(16),
    states=bytes(range(16)),
)

INTERNAL_EXAMPLES: Final = (
    Example(
        CLOCK,
        "a worker's tick",
        None,
        encode_clock(Tick(3, 1_779_264_000_000, WALL, 1, {CLICKS: 41, ORDERS: 7}, {SETTINGS: 2})),
    ),
    Example(
        CLOCK,
        "a replay takes the clock over",
        None,
        encode_clock(Rebase(3, 1_511_539_200_000, 1_512_316_800_000, "replay-1", 3600.0)),
    ),
    Example(
        CLOCK,
        "a replay hands the clock back",
        None,
        encode_clock(Close(3, 1_512_316_800_000, "replay-1", {CLICKS: 10_558})),
    ),
    Example(
        CLOCK,
        "an operator has an order left out",
        None,
        encode_clock(Skip(3, RecordCause(ORDERS, 7), "line quantities overflow, see the runbook")),
    ),
    Example(JOURNAL, "a commit of forty clicks", None, encode_row(_ROW)),
    Example(
        JOURNAL,
        "a commit of timers only",
        None,
        encode_row(
            msgspec.structs.replace(
                _ROW,
                seq=2,
                previous=chain(encode_row(_ROW)),
                slices=[],
                fired=Fired(1_779_265_870_000, "tea/100001", 1),
            )
        ),
    ),
)
