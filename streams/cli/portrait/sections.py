"""The portrait's sections: from what ``describe`` says of a customer, and what the query store adds.

Each line is a label and its text. A line is left out where there is nothing to say; what is not known says
so. Parts that a build does not describe yet have no line.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from streams.cli.portrait.bars import bar, sparkline
from streams.cli.portrait.listing import Listing
from streams.cli.portrait.offers import offers
from streams.cli.portrait.reasons import days_of, reason
from streams.cli.portrait.words import Words
from streams.query.known import Known, LateRefunds
from streams.query.wording import instant, local, money

#: Entries of a list that a glance takes in.
SHOWN = 5
Lines: TypeAlias = Iterator[tuple[str, str]]


class Section(NamedTuple):
    title: str
    lines: list[tuple[str, str]]


def sections(described: dict[str, Any], known: Known | None, words: Words) -> list[Section]:
    """The page of a customer; ``known`` None: the query store could not be asked."""
    page = Portrait(described, known, words)
    parts = (
        ("who", page.who()),
        ("shopping", page.shopping()),
        ("preferences", page.preferences()),
        ("worth", page.worth()),
        ("lifecycle", page.lifecycle()),
        ("risk", page.risk()),
        ("offers", offers(described["coupons"], known, words, page.moment)),
    )
    built = [Section(words(name), list(lines)) for name, lines in parts]
    return [section for section in built if section.lines]


class Portrait:
    """One customer, as ``streams.domain.describe`` has them."""

    def __init__(self, described: dict[str, Any], known: Known | None, words: Words) -> None:
        self._all = described
        self._known = known or Known()
        self._words = words
        self._listing = Listing(words, self._known.names, SHOWN)
        orders = described["orders"]
        self._zone: str | None = orders["time_zone"]
        self._currency: str | None = orders["currency"]

    def moment(self, said: str | None) -> str:
        """A moment of ``described`` on the shop's clock, to the minute."""
        if said is None:
            return self._words("unknown")
        shown = local(instant(said, None), self._zone)
        return shown[:16] + shown[19:]

    def who(self) -> Lines:
        words, profile = self._words, self._all["profile"]
        yield words("known_since"), self.moment(self._all["first_seen"])
        yield words("last_seen"), self.moment(self._all["last_seen"])
        if self._all["erased_at"] is not None:
            said = words("erased_until", moment=self.moment(self._all["erased_at"]))
            yield words("erased"), said
        for given, label in ((True, "channels"), (False, "refused")):
            named = [
                words.name(name)
                for name, each in profile["consent"].items()
                if each["given"] is given
            ]
            if named:
                yield words(label), words.comma.join(named)
        browsing = self._all["browsing"]
        if browsing.get("channels"):
            yield words("uses"), self._listing.of(browsing["channels"])
        if self._known.channels:
            yield words("ordered_through"), self._listing.of(self._known.channels)
        seen_in = [each["region"] for each in browsing.get("regions") or ()]
        regions = ([profile["region"]] if profile["region"] else []) + seen_in
        if regions:
            yield words("region"), self._listing.texts(list(dict.fromkeys(regions)))
        facts = [words.name(profile["gender"])] if profile["gender"] else []
        facts += [profile[n] for n in ("age_band", "income_band", "education") if profile[n]]
        if profile["birthday"]:
            facts.append(f"{words('birthday')} {profile['birthday']}")
        if facts:
            yield words("profile"), words.comma.join(facts)
        if profile["tags"]:
            yield words("tags"), self._listing.of(profile["tags"])
        if profile["joined_at"]:
            yield words("member_since"), self.moment(profile["joined_at"])
        points = self._all.get("points")
        # Who is no member has none.
        if points is not None and profile["joined_at"]:
            yield words("points"), self._points(points)

    def _points(self, points: dict[str, Any]) -> str:
        if points["earned"] is None:
            return self._words("unknown")
        expiring = points["expiring"]
        more = self._words("expiring", count=f"{expiring:,}") if expiring else ""
        return f"{points['earned']:,}{more}"

    def shopping(self) -> Lines:
        words, browsing, orders = self._words, self._all["browsing"], self._all["orders"]
        if browsing["sessions"]:
            yield words("sessions"), f"{browsing['sessions']:,}"
        actions = [(name, count) for name, count in browsing["actions"].items() if count]
        if actions:
            actions.sort(key=lambda each: -each[1])
            shown = [f"{words.name(name)} {count:,}" for name, count in actions]
            yield words("actions"), self._listing.texts(shown)
        worth = self._all["worth"]
        if worth and worth["interval_days"] is not None:
            yield words("rhythm"), words("every_days", days=days_of(worth["interval_days"]))
        hours = orders["paid_by_hour"]
        if any(hours):
            mostly = words("mostly_at", hour=hours.index(max(hours)))
            yield words("hours"), f"{sparkline(hours)} {mostly}"
        yield words("cart"), self._cart()
        if orders["recent"]:
            yield (
                words("recent"),
                self._listing.texts([self._order(order) for order in reversed(orders["recent"])]),
            )
        yield from self._ways(browsing)

    def _ways(self, browsing: dict[str, Any]) -> Lines:
        """How they came, what they did last, what they passed on; of builds that know it."""
        words = self._words
        if browsing.get("touches"):
            came = [words.name(each["source"]) for each in browsing["touches"][-SHOWN:]]
            yield words("touches"), words.arrow.join(came)
        if browsing.get("path"):
            steps = [
                f"{words.name(each['action'])} {self._listing.name(each['name'] or '')}".rstrip()
                for each in browsing["path"][-SHOWN:]
            ]
            yield words("path"), words.arrow.join(steps)
        shares = browsing.get("shares") or {}
        if shares.get("recent"):
            products = [self._listing.name(each["sku"]) for each in shares["recent"]]
            yield words("shared"), self._listing.texts(products)
        if shares.get("came_by"):
            by = [each["customer_id"] for each in shares["came_by"]]
            yield words("came_by"), self._listing.texts(by)

    def _cart(self) -> str:
        lines = self._all["cart"]["lines"]
        if not lines:
            return self._words("empty")
        return self._listing.texts(
            [
                self._words(
                    "pieces", name=self._listing.name(line["sku"]), quantity=line["quantity"]
                )
                for line in lines
            ]
        )

    def _order(self, order: dict[str, Any]) -> str:
        status = order["status"]
        # Two of an order's statuses are words of their own elsewhere on the page.
        word = {"paid": "order_paid", "refunded": "order_refunded"}.get(status, status)
        return f"{order['order_id']} ({self._words.name(word)}, {self._money(order['amount'])})"

    def preferences(self) -> Lines:
        words, browsing = self._words, self._all["browsing"]
        preferred = browsing.get("preferences") or {}
        categories = preferred.get("categories") or []
        if categories:
            most = max(each["weight"] for each in categories) or 1
            shown = [
                f"{each['category']} {bar(each['weight'] / most)}"
                for each in sorted(categories, key=lambda each: -each["weight"])
            ]
            yield words("categories"), self._listing.texts(shown)
        price = (preferred.get("price") or {}).get("median")
        if price is not None:
            yield words("price"), self._band(price)
        if browsing.get("keywords"):
            found = [each["keyword"] for each in browsing["keywords"]]
            yield words("keywords"), self._listing.texts(found)
        if browsing.get("favorites"):
            liked = [self._listing.name(each["sku"]) for each in browsing["favorites"]]
            yield words("favorites"), self._listing.texts(liked)
        looked_at = [
            self._listing.name(each["sku"])
            for each in browsing.get("products") or ()
            if each["viewed_not_bought"]
        ]
        if looked_at:
            yield words("viewed"), self._listing.texts(looked_at)
        wishes = self._all["wishes"]
        if wishes["made"]:
            yield words("wishes"), words("wishes_open", open=wishes["open"], made=wishes["made"])
        wanted = [self._wish(each) for each in wishes.get("recent", ()) if each["status"] == "open"]
        if wanted:
            yield words("wanted"), self._listing.texts(wanted[::-1])

    def _wish(self, wish: dict[str, Any]) -> str:
        """What is wished for, and how many others like it."""
        said = [self._listing.name(wish["sku"])] if wish["sku"] else []
        said += [f"{name} {value}" for name, value in wish["attributes"].items()]
        text = " ".join(said) or wish["wish_id"]
        return self._words("liked_by", wish=text, count=wish["likes"]) if wish["likes"] else text

    def _band(self, band: dict[str, Any]) -> str:
        """A band of prices; the dearest one has no end."""
        begin = self._money(band["from"])
        if band["below"] is None:
            return self._words("price_from", begin=begin)
        return self._words("price_band", begin=begin, end=self._money(band["below"]))

    def worth(self) -> Lines:
        words, worth, orders = self._words, self._all["worth"], self._all["orders"]
        if worth is None:
            yield words("worth"), words("no_settings")
        else:
            yield words("segment"), self._rfm(worth["rfm"])
            tier = worth["tier"]
            yield words("tier"), words("unknown") if tier is None else words.name(tier)
        if orders["paid"]:
            missing = orders["unknown_amount"]
            more = words("unknown_amounts", count=missing) if missing else ""
            for label, count, amount in (
                ("paid", "paid", "paid_amount"),
                ("net", "net", "net_amount"),
            ):
                # The state does not know these any more: the store does.
                gone = self._known.late if label == "net" else LateRefunds()
                money = self._money(orders[amount] - gone.amount)
                said = words("orders_amount", orders=orders[count] - gone.lost_orders, amount=money)
                by_store = words("late_refunds", count=gone.orders) if gone.orders else ""
                yield words(label), said + more + by_store
        if worth is None:
            return
        for days in ("30", "365"):
            window = worth["windows"][days]
            if window is None:
                yield words("window", days=days), words("unknown")
            elif window["net"]:
                amount = self._money(window["net_amount"])
                said = words("orders_amount", orders=window["net"], amount=amount)
                yield words("window", days=days), said
        if worth["expected_next"] is not None:
            late = (
                date.fromisoformat(worth["day"]) - date.fromisoformat(worth["expected_next"])
            ).days
            more = words("overdue", days=late) if late > 0 else ""
            yield words("expected_next"), worth["expected_next"] + more

    def _rfm(self, rfm: dict[str, Any]) -> str:
        words = self._words
        if rfm["scored"] is False:
            return words("not_scored")
        if rfm["r"] is None and rfm["f"] is None:
            return words("unknown")
        named = words("unknown") if rfm["segment"] is None else words.name(rfm["segment"])
        scores = [
            f"{name.upper()} {'?' if rfm[name] is None else bar(rfm[name] / 5) + f' {rfm[name]}'}"
            for name in "rfm"
        ]
        return f"{named}  {'  '.join(scores)}"

    def lifecycle(self) -> Lines:
        words, worth = self._words, self._all["worth"]
        if worth is None:
            return
        stage = worth["lifecycle"]["stage"]
        yield words("stage"), words("unknown") if stage is None else words.name(stage)
        why = reason(worth, words)
        if why:
            yield words("reason"), why
        elif worth["why_unknown"]:
            yield words("reason"), worth["why_unknown"]
        if worth["lifecycle"]["changes_at"]:
            yield words("changes_at"), self.moment(worth["lifecycle"]["changes_at"])

    def risk(self) -> Lines:
        words, reviews, service = self._words, self._all["reviews"], self._all["service"]
        found = []
        if reviews["bad_open"]:
            said = words(
                "of_all", open=reviews["bad_open"], bad=reviews["bad"], posted=reviews["posted"]
            )
            found.append((words("bad_reviews"), said))
        for label, cases in (
            ("complaints", [each for each in service["open_cases"] if each["complaint"]]),
            ("cases", [each for each in service["open_cases"] if not each["complaint"]]),
        ):
            if cases:
                # Of a case whose opening has not come yet the time is not known.
                opened = min((c["opened_at"] for c in cases if c["opened_at"]), default=None)
                since = words("count_since", count=len(cases), moment=self.moment(opened))
                found.append((words(label), since))
        orders = self._all["orders"]
        if orders["refunds"] or orders["refunded"]:
            amount = self._money(orders["refunded_amount"])
            count = max(orders["refunds"], orders["refunded"])
            found.append((words("refunds"), words("refunded", count=count, amount=amount)))
        found += self._dormancy()
        yield from found or [("", words("no_risk"))]

    def _dormancy(self) -> Lines:
        worth = self._all["worth"]
        if worth is None:
            return
        age, stage = worth["rfm"]["recency_days"], worth["lifecycle"]["stage"]
        if stage in ("dormant", "lost"):
            yield self._words("dormancy"), self._words("dormant_for", age=age)

    def _money(self, amount: int | None) -> str:
        return self._words("unknown") if amount is None else money(amount, self._currency)
