"""The rows that a commit sends: triggers, refusals, verdicts, facts for other keys, dead letters.

All are made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from schemas.deadletter import DeadLetter, encode_dead_letter
from schemas.decision import Decision, DecisionEvent
from schemas.decoding import Record
from schemas.exchange import Exchange, ExchangeEvent
from schemas.partitioner import partition_of
from schemas.trigger import Trigger, TriggerEvent
from schemas.verdict import (
    Verdict,
    VerdictEvent,
    VerdictReason,
    WishVerdict,
    WishVerdictEvent,
)
from streams.domain.facts import Fact, Forward, OrderJudged, WishJudged
from streams.domain.names import NAME_BYTES, name_hash
from streams.domain.state import CustomerState
from streams.engine.checksum import RowsDigest
from streams.engine.commit import OutRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Between the campaign and the reason in the label of a refusal; no campaign is called so.
LABEL_DIVIDER: Final = "/"
#: Of a verdict's id.
_ID_BYTES: Final = 16
_encode_json = msgspec.json.Encoder().encode


class CodesLike(Protocol):
    """Makes the coupon code of a trigger id."""

    def code(self, trigger_id: str, /) -> str: ...


@dataclass(slots=True, frozen=True)
class Outlets:
    """Where the rows of a partition go, and what makes their coupon codes."""

    partition: int
    partitions: int
    triggers_topic: str
    verdicts_topic: str
    decisions_topic: str
    deadletters_topic: str
    exchange_topic: str
    codes: CodesLike


class Outgoing:
    """The rows of one commit in the making, in the order in which they came about.

    Refusals come after all others: so nobody has to know later how they alternated with triggers.
    """

    def __init__(self, outlets: Outlets, seq: int) -> None:
        self._rows: list[OutRow] = []
        self._refusals: list[OutRow] = []
        #: Bytes of the rows' values.
        self.weight = 0
        self._outlets = outlets
        self._seq = seq
        #: Facts told to other keys; the number is in each one's id.
        self._forwarded = 0
        #: Of the rows as this build makes them, but for coupon codes, which the journal is not to tell.
        self._digest = RowsDigest()

    @property
    def count(self) -> int:
        return len(self._rows) + len(self._refusals)

    def finish(self) -> tuple[list[OutRow], bytes]:
        """All rows, and their digest as the journal has it; nothing is added after it."""
        for row in self._refusals:
            self._digest.add(row.topic, row.key or b"", row.value)
        return [*self._rows, *self._refusals], self._digest.digest()

    def tell(self, facts: Sequence[Fact], state: CustomerState, record: Record) -> None:
        """Send what a fold of ``record`` into ``state`` found out for others: what other keys must be told,
        and verdicts. Like dead letters both follow from folding alone.
        """
        for fact in facts:
            if type(fact) is Forward:
                self._forward(fact, state.shop_id, record)
            elif type(fact) is OrderJudged:
                self._verdict(fact, self._order_verdict(fact, state), state, record)
            elif type(fact) is WishJudged:
                self._verdict(fact, self._wish_verdict(fact, state), state, record)

    def _forward(self, fact: Forward, shop_id: str, record: Record) -> None:
        outlets = self._outlets
        key = fact.key.encode()
        event = ExchangeEvent(
            specversion="1.0",
            id=f"{outlets.partition}-{self._seq}-{self._forwarded}",
            source=outlets.exchange_topic,
            subject=fact.key,
            time=EPOCH + timedelta(milliseconds=fact.time),
            data=Exchange(shop_id=shop_id, body=fact.body),
        )
        self._forwarded += 1
        topic, value = outlets.exchange_topic, _encode_json(event)
        self._digest.add(topic, key, value)
        kind = str(type(fact.body).__struct_config__.tag)
        home = partition_of(key, outlets.partitions)
        cause = (record.topic, record.offset)
        self._add(OutRow(topic, home, key, value, record.timestamp, kind, cause))

    def _verdict(
        self, fact: OrderJudged | WishJudged, verdict: Verdict | WishVerdict, state: CustomerState,
        record: Record,
    ) -> None:  # fmt: skip
        customer = state.customer_id
        # The id is the same in every generation of topics: numbers go on where states are carried over. What
        # was judged keeps apart two lives of a customer that began to count anew.
        name = f"{state.shop_id}/{fact.number}/{customer}/{fact.key.hex()}"
        kind = VerdictEvent if isinstance(verdict, Verdict) else WishVerdictEvent
        event = kind(
            specversion="1.0",
            id=name_hash(name, _ID_BYTES).hex(),
            source="huitou",
            subject=customer,
            time=EPOCH + timedelta(milliseconds=fact.time),
            data=verdict,  # type: ignore[arg-type]
        )
        topic, key, value = self._outlets.verdicts_topic, customer.encode(), _encode_json(event)
        self._digest.add(topic, key, value)
        cause, partition = (record.topic, record.offset), self._outlets.partition
        self._add(OutRow(topic, partition, key, value, record.timestamp, "verdict", cause))

    @staticmethod
    def _order_verdict(fact: OrderJudged, state: CustomerState) -> Verdict:
        return Verdict(
            shop_id=state.shop_id,
            customer_id=state.customer_id,
            visitors=list(fact.visitors),
            order_hash=fact.key.hex(),
            order_id=fact.order_id or None,
            brushed=fact.brushed,
            points=fact.points,
            reasons=[
                VerdictReason(sign=sign, points=points, value=value)
                for sign, points, value in fact.reasons
            ],
            product_hash=fact.product.hex() or None,
            number=fact.number,
        )

    @staticmethod
    def _wish_verdict(fact: WishJudged, state: CustomerState) -> WishVerdict:
        # An id that fills its place may have been cut.
        is_whole = len(fact.wish_id.encode()) <= NAME_BYTES - 4
        return WishVerdict(
            shop_id=state.shop_id,
            customer_id=state.customer_id,
            visitors=list(fact.visitors),
            wish_hash=fact.key.hex(),
            wish_id=fact.wish_id if is_whole else None,
            suspicious=fact.suspicious,
            likes=fact.likes,
            number=fact.number,
        )

    def trigger(self, trigger: Trigger, time: int, cause_ms: int) -> None:
        """Publish ``trigger`` of ``time`` (ms), stamped with the commit's seq and its coupon's code.

        ``cause_ms``: when what it follows from was there, on the wall's clock.
        """
        trigger.seq = self._seq
        outlets = self._outlets
        event = TriggerEvent(
            specversion="1.0",
            id=trigger.trigger_id,
            source="huitou",
            subject=trigger.customer_id,
            time=EPOCH + timedelta(milliseconds=time),
            data=trigger,
        )
        key = trigger.customer_id.encode()
        topic = outlets.triggers_topic
        value = _encode_json(event)
        self._digest.add(topic, key, value)
        if trigger.offer is not None:
            trigger.offer.code = outlets.codes.code(trigger.trigger_id)
            value = _encode_json(event)
        self._add(OutRow(topic, outlets.partition, key, value, cause_ms, trigger.campaign))

    def refusal(self, decision: Decision, time: int, cause_ms: int) -> None:
        """Publish that an offer was refused at ``time`` (ms), stamped with the commit's seq."""
        decision.seq = self._seq
        event = DecisionEvent(
            specversion="1.0",
            id=decision.decision_id,
            source="huitou",
            subject=decision.customer_id,
            time=EPOCH + timedelta(milliseconds=time),
            data=decision,
        )
        outlets, value = self._outlets, _encode_json(event)
        label = f"{decision.campaign}{LABEL_DIVIDER}{decision.reason}"
        self.weight += len(value)
        self._refusals.append(
            OutRow(
                outlets.decisions_topic, outlets.partition, decision.customer_id.encode(), value,
                cause_ms, label,
            )
        )  # fmt: skip

    def dead_letter(self, record: Record, letter: DeadLetter) -> None:
        """Publish that ``record`` is passed over, and why."""
        topic = self._outlets.deadletters_topic
        key = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
        value = encode_dead_letter(letter, record.timestamp)
        self._digest.add(topic, key, value)
        cause, partition = (record.topic, record.offset), self._outlets.partition
        self._add(OutRow(topic, partition, key, value, record.timestamp, "", cause))

    def _add(self, row: OutRow) -> None:
        self.weight += len(row.value)
        self._rows.append(row)
