"""What the reports must say: plain Python over the rows that tests/query/expected.py makes of the events.

No code of streams is used. A figure is a number, or ``Unknown`` with the least that it may be; of several
currencies it is a dict.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from tests.query.expected import Published, expected
from tests.reports.histories import SHOP

Row = dict[str, Any]
Figures = dict[str, Any]


#: Of triggers that are a yes; the others are what becomes of a coupon.
OFFER_KINDS = ("coupon_issued", "message_requested", "survey_requested", "service_task")


@dataclass(frozen=True)
class Unknown:
    least: int | None = None


@dataclass
class Question:
    """``turn_ms``: the shop's currency is CNY before and USD from then on; None: CNY.

    ``limits``: its RFM thresholds; None: the defaults.
    """

    published: list[Published]
    first: date
    last: date
    zone: str
    turn_ms: int | None = None
    limits: Mapping[str, tuple[int, ...]] | None = None
    #: Its tiers, the lowest first: name, orders, amount; None: the defaults.
    tiers: tuple[tuple[str, int, int], ...] | None = None

    def __post_init__(self) -> None:
        tables = expected(self.published)
        every, self.lines, self.refunds, self.reviews, self.erased, self.products = (
            [row for row in tables[name] if row["shop_id"] == SHOP]
            for name in ("orders", "order_lines", "refunds", "reviews", "erased", "products")
        )
        self.cases, self.surveys = (
            [row for row in tables[name] if row["shop_id"] == SHOP] for name in ("cases", "surveys")
        )
        #: Whether any order of the shop has a verdict.
        self.judges = any(row["shop_id"] == SHOP for row in tables["verdicts"])
        self.wishes, self.wish_attributes, self.wish_likes = (
            [row for row in tables[name] if row["shop_id"] == SHOP]
            for name in ("wishes", "wish_attributes", "wish_likes")
        )
        #: Tables with any row of the shop: of what it never told nothing is known.
        self.told = {name for name in tables if any(r.get("shop_id") == SHOP for r in tables[name])}
        issued = [row for row in tables["triggers"] if row["kind"] in OFFER_KINDS]
        #: Every yes and no; of a yes ``reason`` is not there.
        self.decided = [row for row in (*issued, *tables["decisions"]) if row["shop_id"] == SHOP]
        self.coupons = [row for row in tables["order_coupons"] if row["shop_id"] == SHOP]
        self.profiles = {
            row["customer_id"]: row for row in tables["profiles"] if row["shop_id"] == SHOP
        }
        #: Those that were ever held to be brushed; those that are, are in no other figure.
        self.judged = [order for order in every if order["judged_ms"] is not None]
        self.orders = [order for order in every if not order["brushed"]]
        honest = {key(order) for order in self.orders}
        self.lines_of_judged = [line for line in self.lines if key(line) not in honest]
        self.lines = [line for line in self.lines if key(line) in honest]

    def clock(self, time_ms: int) -> datetime:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
        return moment.astimezone(ZoneInfo(self.zone))

    def day(self, time_ms: int) -> date:
        return self.clock(time_ms).date()

    def holds(self, time_ms: int | None) -> bool:
        return time_ms is not None and self.first <= self.day(time_ms) <= self.last

    def category(self, line: Row) -> str | None:
        """The line's own, else the product's."""
        if line["category"] is not None:
            return str(line["category"])
        return self.product_category(line["sku"])

    def product_category(self, sku: str | None) -> str | None:
        """That which the shop says of the product now."""
        return next((p["category"] for p in self.products if p["sku"] == sku), None)

    def buyer(self, order: Row, dimension: str) -> str | None:
        """What the buyer's profile says; of age the band on the period's last day."""
        profile = self.profiles.get(order["customer_id"], {})
        if dimension != "age":
            return profile.get(dimension)
        if profile.get("birthday") is None:
            return profile.get("age_band")
        born = date.fromisoformat(profile["birthday"])
        years = self.last.year - born.year
        if (self.last.month, self.last.day) < (born.month, born.day):
            years -= 1
        bands = ((0, 17), (18, 24), (25, 34), (35, 44), (45, 54), (55, 64))
        found = next((f"{low}-{high}" for low, high in bands if low <= years <= high), None)
        return "65+" if years >= 65 else found

    def paid(self) -> list[Row]:
        return [order for order in self.orders if self.holds(order["paid_ms"])]

    def money(self, of: Iterable[tuple[int, int | None]]) -> Any:
        """(when, amount) -> a sum, sums by currency, or Unknown."""
        sums: Counter[str] = Counter()
        lacking = False
        for time_ms, amount in of:
            usd = self.turn_ms is not None and time_ms >= self.turn_ms
            lacking |= amount is None
            sums["USD" if usd else "CNY"] += amount or 0
        used = {code: total for code, total in sums.items() if total}
        if len(used) > 1:
            return used
        total = sum(used.values())
        return Unknown(total) if lacking else total


def average(total: Any, of: int) -> Any:
    """Half up."""
    if not isinstance(total, int) or not of:
        return Unknown()
    return floor(Fraction(total, of) + Fraction(1, 2))


def share(part: Any, whole: Any) -> Any:
    if not isinstance(part, int) or not isinstance(whole, int) or not whole:
        return Unknown()
    return round(part / whole, 6)


def key(order: Row) -> tuple[str, str]:
    return order["customer_id"], order["order_id"]


def bucket(question: Question, dimension: str, time_ms: int) -> str:
    """The name of the day, week or month; the first ones begin with the period."""
    day = question.day(time_ms)
    if dimension == "month":
        return f"{day:%Y-%m}"
    if dimension == "week":
        day = max(day - timedelta(days=day.weekday()), question.first)
    return str(day)


def names(question: Question, dimension: str) -> list[str]:
    every = (
        question.first + timedelta(days=n) for n in range((question.last - question.first).days + 1)
    )
    noon = (int(datetime(d.year, d.month, d.day, 12, tzinfo=ZoneInfo(question.zone)).timestamp()) * 1000
            for d in every)  # fmt: skip
    return list(dict.fromkeys(bucket(question, dimension, at) for at in noon))


def paid_figures(question: Question, orders: list[Row]) -> Figures:
    gross = question.money((o["paid_ms"], o["amount"]) for o in orders)
    buyers = {o["customer_id"] for o in orders}
    return {
        "paid_orders": len(orders),
        "buyers": len(buyers),
        "paid_amount": gross,
        "net_amount": question.money((o["paid_ms"], o["net_amount"]) for o in orders),
        "per_buyer": average(gross, len(buyers)),
        "order_value": average(gross, len(orders)),
    }


def overview(question: Question, fits: Callable[[int], bool] = lambda _: True) -> Figures:
    was_placed = [
        o for o in question.orders if question.holds(o["placed_ms"]) and fits(o["placed_ms"])
    ]
    waiting = [o for o in was_placed if o["paid_ms"] is None and o["cancelled_ms"] is None]
    paid = [o for o in question.paid() if fits(o["paid_ms"])]
    placed: Any = len(was_placed)
    unpaid: Any = len(waiting)
    if any(o["placed_ms"] is None for o in paid):
        placed = Unknown(placed)
        unpaid = Unknown(unpaid) if was_placed else Unknown()
    return {
        **paid_figures(question, paid),
        "placed_orders": placed, "unpaid_orders": unpaid,
        # Live figures have an oracle of their own: tests/reports/traffic_oracle.py.
        **dict.fromkeys(
            ("visitors", "views", "average_dwell", "sessions", "adders", "add_to_cart_rate", "conversion",
             "buyers_without_visit"), Unknown(),
        ),
    }  # fmt: skip


def product_figures(question: Question, lines: list[tuple[Row, Row]]) -> Figures:
    return {
        "pieces": sum(line["quantity"] for _, line in lines),
        "goods_amount": question.money(
            (
                o["paid_ms"],
                None if line["unit_price"] is None else line["unit_price"] * line["quantity"],
            )
            for o, line in lines
        ),
        "paid_orders": len({key(o) for o, _ in lines}),
        "buyers": len({o["customer_id"] for o, _ in lines}),
    }


def bought_lines(question: Question) -> list[tuple[Row, Row]]:
    return [(o, line) for o in question.paid() for line in question.lines if key(o) == key(line)]


def completed(question: Question) -> list[Row]:
    """Completed refunds of paid orders: each with its order and what it ``took``, refund after refund."""
    found = []
    for order in question.orders:
        if order["paid_ms"] is None:
            continue
        left = order["amount"]
        own = [r for r in question.refunds if key(r) == key(order) and r["refunded_ms"] is not None]
        for refund in sorted(own, key=lambda r: (r["refunded_ms"], r["refund_id"])):
            took = None
            if left is not None:
                rest = 0 if refund["kind"] == "exchange" else left
                took = min(left, rest if refund["amount"] is None else refund["amount"])
                left -= took
            found.append({**refund, "order": order, "took": took})
        if left is not None:
            assert order["amount"] - left == order["refunded_amount"]
    return found


def refund_figures(
    question: Question, done: list[Row], cohort: list[Row], paid: list[Row]
) -> Figures:
    """``done``: refunds by their date, ``cohort``: those of the ``paid`` orders."""
    gross = question.money((o["paid_ms"], o["amount"]) for o in paid)
    found = {"refunds": len(done)}
    for prefix, some in (("", done), ("cohort_", cohort)):
        of_orders = len({key(r) for r in some})
        took = question.money((r["order"]["paid_ms"], r["took"]) for r in some)
        found |= {
            f"{prefix}refunded_orders": of_orders,
            f"{prefix}refunded_amount": took,
            f"{prefix}refund_rate": share(of_orders, len(paid)),
            f"{prefix}refund_amount_rate": share(took, gross),
        }
    return found


def service_figures(cases: list[Row], answers: list[Row] | None) -> Figures:
    """``answers`` None: it is not known which."""
    since = {name: [c[f"{name}_ms"] - c["opened_ms"] for c in cases if c[f"{name}_ms"] is not None]
             for name in ("replied", "resolved")}  # fmt: skip
    number: Any = Unknown() if answers is None else len(answers)
    score: Any = Unknown()
    if answers:
        score = round(sum(answer["score"] for answer in answers) / len(answers), 2)
    return {
        "cases": len(cases), "complaints": sum(c["complaint"] for c in cases),
        "replied_cases": len(since["replied"]), "resolved_cases": len(since["resolved"]),
        "open_cases": len(cases) - len(since["resolved"]), "answers": number, "average_score": score,
        **quantiles("first_reply", since["replied"]),
        **quantiles("resolution", (time for time in since["resolved"] if time >= 0)),
    }  # fmt: skip


def wish_figures(question: Question, wishes: list[Row]) -> Figures:
    def given(wish: Row) -> int:
        return sum(
            like["liked"] and like["liker_id"] != wish["customer_id"]
            for like in question.wish_likes
            if (like["customer_id"], like["wish_id"]) == (wish["customer_id"], wish["wish_id"])
        )

    def likers(wish: Row) -> int:
        return max(given(wish) - wish["suspicious"], 0)

    bought: Any = sum(given(wish) - likers(wish) for wish in wishes)
    became = [wish["decision"] for wish in wishes]
    return {
        "wishes": len(wishes), "wishers": len({wish["customer_id"] for wish in wishes}),
        **{each: became.count(each) for each in ("granted", "declined", "withdrawn")},
        "undecided": became.count(None), "likes": sum(map(likers, wishes)),
        "liked_wishes": sum(likers(wish) > 0 for wish in wishes),
        "suspicious_likes": bought if "wish_verdicts" in question.told else Unknown(),
    }  # fmt: skip


def quantiles(name: str, times: Iterable[int]) -> Figures:
    known = sorted(times)
    if not known:
        return {f"{name}_median": Unknown(), f"{name}_p90": Unknown()}
    middle = len(known) // 2
    mean = Fraction(known[middle] + known[-middle - 1], 2)
    rank = -(-len(known) * 9 // 10)
    return {f"{name}_median": floor(mean + Fraction(1, 2)), f"{name}_p90": known[rank - 1]}


def fulfilment_figures(orders: list[Row]) -> Figures:
    stages = {
        "shipping": ("paid_ms", "shipped_ms"), "delivery": ("shipped_ms", "received_ms"),
        "waiting": ("paid_ms", "received_ms"),
    }  # fmt: skip
    found: Figures = {
        "paid_orders": len(orders),
        "shipped_orders": sum(o["shipped_ms"] is not None for o in orders),
        "received_orders": sum(o["received_ms"] is not None for o in orders),
        "open_orders": sum(
            o["shipped_ms"] is o["received_ms"] is o["cancelled_ms"] is None
            and o["status"] != "refunded"
            for o in orders
        ),
        "late_orders": Unknown(),
    }
    disordered = set()
    for name, (since, until) in stages.items():
        times = {key(o): o[until] - o[since] for o in orders if None not in (o[since], o[until])}
        disordered |= {each for each, time in times.items() if time < 0}
        found |= quantiles(name, (time for time in times.values() if time >= 0))
    return {**found, "disordered_orders": len(disordered)}


def repurchase_figures(question: Question, days: int) -> Figures:
    """Of the window of ``days`` days that ends with the period."""
    first = question.last - timedelta(days=days - 1)
    before = first - timedelta(days=days)
    every = [(o["customer_id"], question.day(o["paid_ms"])) for o in question.orders
             if o["paid_ms"] is not None]  # fmt: skip
    now = [(who, day) for who, day in every if first <= day <= question.last]
    buyers = {who for who, _ in now}
    previous = {who for who, day in every if before <= day < first}
    often = [who for who, n in Counter(who for who, _ in now).items() if n >= 2]
    on_days = [who for who, n in Counter(who for who, _ in set(now)).items() if n >= 2]
    return {
        "buyers": len(buyers),
        "repeat_buyers": len(often), "repurchase_rate": share(len(often), len(buyers)),
        "day_repeat_buyers": len(on_days), "day_repurchase_rate": share(len(on_days), len(buyers)),
        "previous_buyers": len(previous), "returned_buyers": len(buyers & previous),
        "return_rate": share(len(buyers & previous), len(previous)),
    }  # fmt: skip


def campaign_figures(question: Question, decided: list[Row]) -> Figures:
    """What was offered and refused, and what was paid with it: an order for each of its coupons."""
    issued = [row for row in decided if "reason" not in row]
    coupons = [row for row in issued if row["kind"] == "coupon_issued"]
    reasons = Counter(row["reason"] for row in decided if "reason" in row)
    out = reasons["holdout"]
    paid = {key(order): order for order in question.orders if order["paid_ms"] is not None}
    uses = [
        (row, paid[key(coupon)])
        for row in coupons
        for coupon in question.coupons
        if coupon["code"] == row["code"] and key(coupon) in paid
    ]
    redeemed: Any = len({row["code"] for row, _ in uses})
    amounts: list[Any] = [
        question.money((order["paid_ms"], order[name]) for _, order in uses)
        for name in ("amount", "net_amount")
    ]
    rate = share(redeemed, len(coupons))
    if not question.coupons:
        redeemed, rate, amounts = Unknown(), Unknown(), [Unknown(), Unknown()]
    return {
        "candidates": len(decided), "issued": len(issued), "coupons": len(coupons),
        "receivers": len({row["customer_id"] for row in issued}), "held_out": out,
        "refused": len(decided) - len(issued) - out,
        "refused_consent": reasons["consent"], "refused_brushed": reasons["brushed"],
        "refused_before": reasons["issued_before"], "refused_campaign_cap": reasons["campaign_cap"],
        "refused_channel_cap": reasons["channel_cap"], "refused_rest": reasons["rest"],
        "refused_quiet": reasons["quiet_hours"], "refused_priority": reasons["priority"],
        "refused_budget": reasons["budget"], "redeemed": redeemed, "redemption_rate": rate,
        "redeemed_amount": amounts[0], "redeemed_net_amount": amounts[1],
    }  # fmt: skip


def brushing_figures(question: Question, judged: list[Row], paid: int | None) -> Figures:
    """``paid``: paid orders, the brushed ones included; None: not known."""
    held = [order for order in judged if order["brushed"]]
    return {
        "judged_orders": len(judged),
        "brushed_orders": len(held),
        "reversed_orders": len(judged) - len(held),
        "brushed_buyers": len({o["customer_id"] for o in held}),
        "brushed_amount": question.money((o["paid_ms"], o["amount"]) for o in held),
        "brushed_net_amount": question.money((o["paid_ms"], o["net_amount"]) for o in held),
        "brushed_share": share(len(held), paid),
    }


def intervals(question: Question) -> list[tuple[int, int]]:
    """(when the later order was paid, ms since the one before)."""
    by_customer: dict[str, list[int]] = {}
    for order in question.orders:
        if order["paid_ms"] is not None:
            by_customer.setdefault(order["customer_id"], []).append(order["paid_ms"])
    pairs = [pair for times in by_customer.values() for pair in pairwise(sorted(times))]
    return [(later, later - earlier) for earlier, later in pairs if question.holds(later)]


def interval_class(lasted: int) -> str:
    days = lasted // 86_400_000
    for first, last in ((1, 6), (7, 29), (30, 59), (60, 89), (90, 179), (180, 364)):
        if first <= days <= last:
            return f"{first}-{last} days"
    return "under 1 day" if days == 0 else "365 days and more"


def interval_figures(times: list[int]) -> Figures:
    return {"intervals": len(times), **quantiles("interval", times)}


def review_figures(reviews: list[Row]) -> Figures:
    number = len(reviews)
    ratings = Counter(r["rating"] for r in reviews)
    waits = [r["replied_ms"] - r["posted_ms"] for r in reviews if r["replied_ms"] is not None]
    return {
        "reviews": number,
        **{f"stars_{n}": ratings[n] for n in (1, 2, 3, 4, 5)},
        "average_rating": round(sum(r["rating"] for r in reviews) / number, 2)
        if number
        else Unknown(),
        "bad_reviews": ratings[1] + ratings[2],
        "bad_share": share(ratings[1] + ratings[2], number),
        "photo_reviews": sum(bool(r["photos"]) for r in reviews),
        "appended_reviews": sum(r["appended_ms"] is not None for r in reviews),
        "replied_reviews": len(waits),
        "replied_within_day": share(sum(wait <= 86_400_000 for wait in waits), number),
        **quantiles("reply", (wait for wait in waits if wait >= 0)),
    }


#: Texts of the histories and the themes of the list below, worked out by hand.
THEMES = {"fit": ("尺码", "size"), "packaging": ("包装", "box"), "odd": ("=cmd",)}
TEXTS: dict[str | None, set[str]] = {
    None: set(),
    "fine": set(),
    "resized, boxes": set(),
    "Wrong SIZE!": {"fit"},
    "尺码不对，包装破损": {"fit", "packaging"},
    "good box尺码": {"fit", "packaging"},
}


def themes_of(review: Row) -> set[str | None]:
    return {*TEXTS[review["text"]], *TEXTS[review["appended_text"]]} or {None}


def cohorts(question: Question) -> dict[str, list[Row]]:
    """Month of the first paid order, where it lies in the period -> its customers' orders of the period."""
    first: dict[str, int] = {}
    for order in question.orders:
        at = order["paid_ms"]
        if at is not None:
            first[order["customer_id"]] = min(at, first.get(order["customer_id"], at))
    found: dict[str, list[Row]] = {name: [] for name in names(question, "month")}
    for order in question.paid():
        began = first[order["customer_id"]]
        if question.holds(began):
            found[bucket(question, "month", began)].append(order)
    return found


def months_later(month: str, number: int) -> date:
    """The first date of a later month."""
    year, at = map(int, month.split("-"))
    return date(year + (at - 1 + number) // 12, (at - 1 + number) % 12 + 1, 1)


def retention_figures(question: Question, month: str, orders: list[Row]) -> Figures:
    found: Figures = {"customers": len({o["customer_id"] for o in orders})}
    for number in range(1, 13):
        later = months_later(month, number)
        if months_later(month, number + 1) > question.last + timedelta(days=1):
            found[f"month_{number}"] = Unknown()
            continue
        of_month = f"{later:%Y-%m}"
        found[f"month_{number}"] = len(
            {
                o["customer_id"]
                for o in orders
                if bucket(question, "month", o["paid_ms"]) == of_month
            }
        )
    return found


def value_figures(question: Question, orders: list[Row]) -> Figures:
    same = paid_figures(question, orders)
    net = same["net_amount"]
    return {
        "customers": same["buyers"], "paid_orders": len(orders), "paid_amount": same["paid_amount"],
        "net_amount": net, "value_per_customer": average(net, same["buyers"]),
    }  # fmt: skip
