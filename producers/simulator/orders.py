"""The life of a simulated order: placed, paid, shipped, received, reviewed, refunded."""

import random
from typing import Final

from producers.simulator.assortment import BAD_WORDS, GOOD_WORDS, REFUND_REASONS
from producers.simulator.calibration import Fulfilment
from producers.simulator.events import EventMaker, Process, delay_ms
from producers.simulator.people import Person
from schemas.envelope import Line
from schemas.order import Order
from schemas.review import Review

#: An unpaid order is cancelled after this.
_PAYMENT_MS: Final = 15 * 60_000
_CARRIERS: Final = ("顺丰同城", "达达", "闪送")
_PAYMENTS: Final = ("alipay", "wechat_pay", "bank_card")


class OrderDesk:
    """Takes orders and sees them through."""

    def __init__(self, maker: EventMaker, fulfilment: Fulfilment, draw: random.Random) -> None:
        self._maker = maker
        self._rates = fulfilment
        self._draw = draw

    def order(self, person: Person, at_ms: int, lines: list[Line]) -> Process:
        """Everything that happens to one order, from its first event at ``at_ms``."""
        maker, draw, rates = self._maker, self._draw, self._rates
        customer, order_id = person.customer_id, maker.new_id("o")
        total = sum((line.unit_price or 0) * line.quantity for line in lines)
        discount = total // 10 if draw.random() < rates.discounted else 0

        def status(name: str, **more: object) -> Order:
            data = {"shop_id": maker.shop_id, "order_id": order_id, "status": name, **more}
            return Order(**data)  # type: ignore[arg-type]  # checked by the simulator's tests

        goods = {"lines": lines, "region": person.region, "device_hash": person.device}
        paid: dict[str, object] = {"amount_paid": total - discount, "discount": discount}
        paid["payment_method"] = draw.choice(_PAYMENTS)
        if draw.random() < rates.paid_at_once:
            yield maker.order(customer, at_ms, status("paid", **goods, **paid))
        else:
            yield maker.order(customer, at_ms, status("placed", **goods))
            if draw.random() < rates.unpaid / (1 - rates.paid_at_once):
                yield maker.order(customer, at_ms + _PAYMENT_MS, status("cancelled"))
                return
            at_ms += self._delay(rates.pay)
            yield maker.order(customer, at_ms, status("paid", **paid))
        refund: dict[str, object] = {
            "refund_id": maker.new_id("r"),
            "amount": total - discount,
            "reason": draw.choice(REFUND_REASONS),
        }
        if draw.random() < rates.refunded_before_shipping:
            for name in ("refund_requested", "refunded"):
                at_ms += self._delay(rates.refund)
                yield maker.order(customer, at_ms, status(name, kind="refund", **refund))
            return
        at_ms += self._delay(rates.ship)
        carrier = draw.choice(_CARRIERS)
        yield maker.order(
            customer, at_ms, status("shipped", carrier=carrier, tracking=maker.new_id("t"))
        )
        at_ms += self._delay(rates.receive)
        yield maker.order(customer, at_ms, status("received"))
        if draw.random() < rates.reviewed:
            for step in self._reviews(person, at_ms, order_id, lines):
                at_ms = step[0]
                yield step
        if draw.random() < rates.refunded_after_receipt:
            withdrawn = draw.random() < rates.refund_withdrawn
            for name in ("refund_requested", "refund_withdrawn" if withdrawn else "refunded"):
                at_ms += self._delay(rates.refund)
                yield maker.order(customer, at_ms, status(name, kind="return", **refund))

    def _reviews(self, person: Person, at_ms: int, order_id: str, lines: list[Line]) -> Process:
        draw, rates, maker = self._draw, self._rates, self._maker
        for sku in dict.fromkeys(line.sku for line in lines):
            rating = draw.choices(range(1, 6), rates.ratings)[0]
            words = draw.choice(BAD_WORDS if rating < 3 else GOOD_WORDS)
            review = Review(
                shop_id=maker.shop_id,
                action="posted",
                order_id=order_id,
                sku=sku,
                rating=rating,
                text=words,
                photos=draw.choice((0, 0, 0, 1, 3)),
            )
            at_ms += self._delay(rates.review)
            yield maker.review(person.customer_id, at_ms, review)
            if draw.random() < rates.appended:
                at_ms += self._delay(rates.review)
                more = Review(
                    shop_id=maker.shop_id,
                    action="appended",
                    order_id=order_id,
                    sku=sku,
                    text=draw.choice(BAD_WORDS if rating < 3 else GOOD_WORDS),
                )
                yield maker.review(person.customer_id, at_ms, more)

    def _delay(self, median_s: float) -> int:
        return delay_ms(median_s, self._rates.sigma, self._draw)
