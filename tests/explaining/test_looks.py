"""Each answer that a look can have, from published events along rows of a journal, by hand."""

from collections.abc import Mapping

import msgspec

from schemas.clock import RecordCause
from schemas.decoding import Decoder
from schemas.journal import Fired, JournalRow, Skipped
from streams.campaigns.language.conditions.outcome import lines
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.measure.assignment import holdout_bucket
from streams.domain.shop import ShopSettings
from streams.domain.state import state_key
from streams.explaining.looks import Life, Look, Looking
from tests.campaigns.test_answering import THANKS, VARIANTS, judging
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, cart, order, profile
from tests.tracing.test_history import PARTITIONS, logged, row

BUILD = "b"


class Fixed:
    """The same campaigns whatever a row names."""

    def __init__(self, campaigns: Judging | None, shop: ShopSettings = SHOP) -> None:
        self._campaigns = campaigns
        self._shop = shop

    def at(self, shop_id: str, time: int) -> ShopSettings:
        return self._shop

    def judging(self, shop_id: str, time: int) -> Judging | None:
        return self._campaigns


def lived(
    events: list[Timed],
    campaigns: Judging | None,
    until: int = START + 400 * DAY,
    more: list[JournalRow] | None = None,
    build: str = BUILD,
) -> Life:
    records, rows = logged(events)
    view = Fixed(campaigns)

    def views(_: Mapping[str, int]) -> Fixed:
        return view

    looking = Looking(records, Decoder(PARTITIONS), views, "shop", "c1", until, build)
    for one in [*rows, *(more or [])]:
        looking.follow(one)
    return looking.life


def paid(number: int, amount: int = 60_00, at: int | None = None) -> Timed:
    time = START + number * DAY if at is None else at
    return order(str(number), time, f"O{number}", "paid", "a", amount_paid=amount)


def looks(life: Life, campaign: str = "thanks") -> list[Look]:
    return list(life.looks.get(campaign, ()))


def test_what_did_not_fit_says_which_condition() -> None:
    (look,) = looks(lived([paid(1)], judging(THANKS)))
    assert (look.answer, look.time, look.cause) == ("did_not_fit", START + DAY, "test/1")
    said = [line for outcome in look.conditions for line in lines(outcome)]
    assert "yes: the order's amount >= 50.00 (60.00)" in said
    assert "  no: orders.paid.count >= 2 (1)" in said


def test_what_is_not_known_is_not_what_is_not_so() -> None:
    dearer = THANKS.replace("currency: CNY", "").replace(
        "campaign: thanks", "campaign: thanks\ncurrency: EUR"
    )
    look = looks(lived([paid(1), paid(2)], judging(dearer)))[-1]
    assert look.answer == "not_known_to_fit"


def test_issued_and_refused_with_the_steps() -> None:
    life = lived([paid(1), paid(2), paid(3)], judging(THANKS))
    first, issued, refused = looks(life)
    assert (first.answer, issued.answer, refused.answer) == ("did_not_fit", "issued", "refused")
    assert issued.trigger_id is not None
    assert [why.threshold for why in issued.why][:2] == [
        "order_paid",
        "the order's amount >= 50.00",
    ]
    assert refused.checks[-1].step == "campaign_cap"
    assert life.came == {"thanks": 3, "second-order": 1}


def test_who_is_held_out_is_told_so() -> None:
    bucket = holdout_bucket("it", "shop", "c1")
    for share, answer in ((bucket // 100 + 1, "held_out"), (bucket // 100, "issued")):
        text = VARIANTS.replace("limits:", f"measure: {{holdout: {share}%}}\nlimits:")
        (look,) = looks(lived([profile("1", START, "joined_membership")], judging(text)), "it")
        assert look.answer == answer
        assert bool(look.checks) == (answer == "held_out")


def test_as_of_a_moment_later_events_and_timers_are_not_there() -> None:
    events = [cart("c", START, "add", "a", quantity=1), paid(1), paid(2)]
    fired = row(9, [], fired=Fired(START + 90 * DAY, state_key("shop", "c1"), 1))
    early = lived(events[:1], judging(THANKS), START + MINUTE, [fired])
    assert early.state is not None
    assert early.looks == {}
    late = lived(events[:1], judging(THANKS), START + DAY, [fired])
    assert [look.cause for look in looks(late, "abandoned-cart")] == [
        f"abandoned-cart@{START + 30 * MINUTE}"
    ]
    before = lived(events, judging(THANKS), START + 2 * DAY - 1)
    assert [look.answer for look in looks(before)] == ["did_not_fit"]
    assert lived(events, None, START - 1).state is None


def test_another_build_s_rows_are_told_as_such() -> None:
    (look,) = looks(lived([paid(1)], judging(THANKS), build="another"))
    assert look.other_build == BUILD


def test_what_was_left_out_is_left_out() -> None:
    records, rows = logged([paid(1), paid(2)])
    skip = [Skipped(RecordCause(records[1].topic, records[1].offset), "no")]
    rows[1] = msgspec.structs.replace(rows[1], skip=skip)
    looking = Looking(
        records,
        Decoder(PARTITIONS),
        lambda _: Fixed(judging(THANKS)),
        "shop",
        "c1",
        START * 2,
        BUILD,
    )
    for one in rows:
        looking.follow(one)
    assert [look.answer for look in looks(looking.life)] == ["did_not_fit"]
