"""Likes that are judged as the worker folds them: thresholds, hand-overs, erasures, in any order."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import Liking
from streams.domain.codec import encode
from streams.domain.describe import describe
from streams.domain.facts import Fact, WishJudged, WishLiked, WishReached
from streams.domain.fold import fold
from streams.domain.integrity.liker import LIKES, NAMES_BYTES, GivenLike, LikerIntegrity
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.domain.wishes import LIKERS, Wishes, contribution
from tests.domain.events import DAY, START, Timed, click, profile, wish
from tests.domain.network import Network, as_of

#: The defaults, and limits so low that the least difference shows.
JUDGED = ShopSettings("shop", "Asia/Shanghai", "CNY", liking=Liking())
STRICT = ShopSettings(
    "shop", "Asia/Shanghai", "CNY",
    liking=Liking(likes_in_an_hour=1, likes_in_a_day=2, likers=2, verdict_points=20),
)  # fmt: skip
MINUTE = 60_000


def like(
    number: int, at: int, liker: str, owner: str = "o", wish_id: str = "w", **data: Any
) -> Timed:
    said = {"liker_id": liker, **data}
    action = said.pop("action", "liked")
    return as_of(owner, wish(f"like-{number}", START + at, action, wish_id, **said))


def made(owner: str = "o", wish_id: str = "w") -> Timed:
    return as_of(owner, wish(f"made-{owner}-{wish_id}", START - DAY, "made", wish_id, sku="tea"))


def seen(customer: str, at: int) -> Timed:
    return as_of(customer, click(f"seen-{customer}-{at}", START + at))


def alias(visitor: str, customer: str, at: int = DAY) -> Timed:
    event = profile(f"alias-{visitor}", START + at, "alias", alias_of=customer)
    return as_of(visitor, event)


def told(network: Network, events: Iterable[Timed]) -> None:
    for event, time in events:
        network.receive(event, time)
        network.settle()


def wishes_of(network: Network, owner: str = "o") -> Wishes:
    found = network.of(owner).wishes
    assert found is not None
    return found


def likes(network: Network) -> tuple[int, int, int]:
    """Likes that count, suspicious ones, self-likes."""
    wishes = wishes_of(network)
    return wishes.likes, wishes.suspicious, wishes.self_likes


class Hearing(Network):
    """A network that keeps the facts that campaigns would hear of wishes, and the verdicts on them."""

    def __init__(self, shop: ShopSettings) -> None:
        super().__init__(shop)
        self.reached: list[WishReached] = []
        self.judged: list[WishJudged] = []

    def heard(self, facts: tuple[Fact, ...]) -> None:
        self.reached += [fact for fact in facts if isinstance(fact, WishReached)]
        self.judged += [fact for fact in facts if isinstance(fact, WishJudged)]


def assert_told(network: Hearing, *owners: str) -> None:
    """Who has only the verdicts knows of each wish how many of its likes are held to be bought."""
    last: dict[bytes, WishJudged] = {}
    for fact in sorted(network.judged, key=lambda fact: fact.number):
        last[fact.key] = fact
    for owner in owners:
        for one in wishes_of(network, owner).wishes:
            part, said = contribution(one), last.pop(one.key, None)
            assert (said.suspicious if said else 0) == part[8], one.wish_id
    assert not last


def test_a_bots_like_of_a_new_account_does_not_count_and_says_why() -> None:
    network = Hearing(JUDGED)
    bot = [seen("bot", -MINUTE)]
    for number in range(11):
        owner, wish_id = f"o{number}", f"w{number}"
        bot += [made(owner, wish_id), like(number, number * 1_000, "bot", owner, wish_id)]
    told(network, [*bot, made(), like(99, 12_000, "bot"), seen("friend", -3 * DAY)])
    told(network, [like(100, 13_000, "friend")])
    assert likes(network) == (1, 1, 0)
    (shown,) = describe(network.of("o"), JUDGED)["integrity"]["suspicious_likes"]
    assert (shown["wish_id"], shown["points"]) == ("w", 60)
    assert shown["reasons"] == [{"sign": "rate", "points": 40}, {"sign": "young", "points": 20}]
    (recent,) = describe(network.of("o"), JUDGED)["wishes"]["recent"]
    assert (recent["likes"], recent["suspicious_likes"]) == (1, 1)
    # The bot was known for long, as it turns out: all its likes are put back.
    told(network, [seen("bot", -9 * DAY)])
    assert likes(network) == (2, 0, 0)
    assert wishes_of(network, "o3").likes == 1
    said = [fact for fact in network.judged if fact.wish_id == "w"]
    assert [(fact.number, fact.suspicious, fact.likes) for fact in said] == [(1, 1, 0), (2, 0, 2)]
    # Not as of nine days ago: an erasure in between would take the second without the first.
    assert [fact.time for fact in said] == [START + 12_000, START + 13_000]


def test_a_threshold_is_reached_once_answers_are_there_and_only_once() -> None:
    network = Hearing(JUDGED)
    events = [made(), seen("l1", -2 * DAY), seen("l2", -2 * DAY)]
    told(network, events)
    network.receive(*like(1, 0, "l1"))
    assert network.reached == []
    network.settle()
    assert network.reached == [WishReached("w", "tea", 0, 1)]
    told(network, [like(2, 1, "l1", action="unliked"), like(3, 2, "l1")])
    assert len(network.reached) == 1
    told(network, [like(4, 3, "l2")])
    assert network.reached[1:] == [WishReached("w", "tea", 1, 2)]


def test_a_farm_reaches_no_threshold() -> None:
    network = Hearing(JUDGED)
    told(network, [made(), *(seen(f"l{number}", -MINUTE) for number in range(6))])
    for number in range(6):
        network.receive(*like(number, number, f"l{number}", device_hash="phone"))
    network.settle()
    assert likes(network) == (0, 6, 0)
    assert [fact.likers for fact in network.reached] in ([], [1])


def test_a_threshold_that_was_reached_stays_so_when_its_likes_turn_out_suspicious() -> None:
    network = Hearing(JUDGED)
    told(network, [made(), *(seen(f"l{number}", -9 * DAY) for number in range(9))])
    for number in range(3):
        told(network, [like(number, number, f"l{number}", device_hash="phone")])
    assert [fact.likers for fact in network.reached] == [1, 2, 3]
    told(network, [like(3, 3, "l3", device_hash="phone")])
    assert likes(network) == (0, 4, 0)
    # Others take their place; only what is more than ever is news.
    for number in range(4, 8):
        told(network, [like(number, number, f"l{number}")])
    assert [(fact.before, fact.likers) for fact in network.reached[3:]] == [(3, 4)]


def test_a_wish_that_was_not_made_yet_reaches_its_thresholds_when_it_is() -> None:
    for shop in (JUDGED, ShopSettings("shop")):
        network = Hearing(shop)
        told(network, [seen("l1", -DAY), seen("l2", -DAY), like(1, 0, "l1"), like(2, 1, "l2")])
        assert network.reached == []
        told(network, [made()])
        assert network.reached == [WishReached("w", "tea", 0, 2)]


def test_the_fact_of_a_like_has_the_likes_that_count() -> None:
    state = new_state("shop", "o")
    facts: tuple[Fact, ...] = ()
    for number in range(2):
        event, time = like(number, number, f"l{number}", device_hash="phone")
        facts = fold(state, event, time, STRICT) or ()
    assert WishLiked("w", 0) in facts


def test_a_shop_that_judges_nothing_asks_nobody_and_all_likers_count() -> None:
    network = Hearing(ShopSettings("shop"))
    told(network, [made(), *(like(n, n, f"l{n}", device_hash="phone") for n in range(5))])
    assert likes(network) == (5, 0, 0)
    assert not network.kinds
    assert [fact.likers for fact in network.reached] == [1, 2, 3, 4, 5]


def test_likes_of_before_a_shop_judged_count_towards_thresholds() -> None:
    state, facts = new_state("shop", "o"), list[Fact]()
    for number, shop in enumerate((ShopSettings("shop"), JUDGED)):
        event, time = like(number, number, f"l{number}")
        facts += fold(state, event, time, shop) or ()
    event, time = made()
    facts += fold(state, event, time, JUDGED) or ()
    # The second one's answer is waited for.
    assert [fact for fact in facts if isinstance(fact, WishReached)] == [
        WishReached("w", "tea", 0, 1)
    ]


def test_a_visitor_who_liked_and_the_customer_they_are_like_once() -> None:
    events = [
        made(), seen("cookie", -2 * DAY), like(1, 0, "cookie"), like(2, 5, "c9"),
        alias("cookie", "c9"),
    ]  # fmt: skip
    for chosen in range(40):
        network = Network(JUDGED)
        chooser = random.Random(chosen)
        chooser.shuffle(events)
        for event, time in events:
            network.receive(event, time)
            if chooser.random() < 0.5:
                network.settle(chooser)
        network.settle(chooser)
        assert likes(network) == (1, 0, 0), events
        given = network.states["liker:shop/c9"].liker_integrity
        assert given is not None
        assert given.first_seen == (START - 2 * DAY) // 1000
        assert {each.liker_id for each in given.given} == {"cookie", "c9"}


def test_a_visitor_who_took_a_like_back_took_the_customers_back() -> None:
    events = [
        made(), like(1, 0, "cookie"), like(2, 9, "cookie", action="unliked"), alias("cookie", "c9"),
    ]  # fmt: skip
    for chosen in range(40):
        network = Network(JUDGED)
        chooser = random.Random(chosen)
        chooser.shuffle(events)
        for event, time in events:
            network.receive(event, time)
            if chooser.random() < 0.5:
                network.settle(chooser)
        network.settle(chooser)
        assert likes(network) == (0, 0, 0), events


def test_many_likes_of_a_visitor_are_told_once_and_where_they_turn_suspicious() -> None:
    """Not each to the owners of all the others, which of 48 likes is more than a thousand rows."""
    owners = [f"o{number}" for number in range(LIKES)]
    network = Network(JUDGED)
    told(network, [made(owner) for owner in owners])
    told(network, [like(n, n * 1_000, "cookie", owner) for n, owner in enumerate(owners)])
    before = network.kinds.copy()
    told(network, [alias("cookie", "c9")])
    more = network.kinds - before
    # Each like moves, is given and is told again; of the first ten it is told once more that they were fast.
    limit = Liking().likes_in_an_hour
    assert (more["liked"], more["like_given"]) == (LIKES, LIKES)
    assert more["liker_told"] == LIKES + limit
    for owner in owners:
        wishes = wishes_of(network, owner)
        assert (wishes.likes, wishes.suspicious) == (0, 1), owner


def test_an_owner_who_liked_as_a_visitor_liked_the_own_wish() -> None:
    network = Network(JUDGED)
    told(network, [made(), like(1, 0, "cookie"), alias("cookie", "o")])
    assert likes(network) == (0, 0, 1)
    told(network, [like(2, 9, "cookie")])
    assert likes(network) == (0, 0, 1)


def test_answers_find_an_owner_who_was_handed_over() -> None:
    network = Network(JUDGED)
    network.receive(*made("visitor"))
    for number in range(4):
        network.receive(*like(number, number, f"l{number}", "visitor", device_hash="phone"))
    network.receive(*alias("visitor", "o"))
    network.settle()
    assert likes(network) == (0, 4, 0)


def test_the_verdict_on_a_visitors_wish_goes_on_under_the_customers_name() -> None:
    network = Hearing(JUDGED)
    told(network, [made("visitor"), made("o", "other")])
    for number in range(4):
        told(network, [like(number, number, f"l{number}", "visitor", device_hash="phone")])
    first = network.judged[-1]
    assert (first.visitors, first.suspicious) == ((), 4)
    told(network, [alias("visitor", "o")])
    assert_told(network, "o")
    # Nothing is known better than before: nothing but whose it is now.
    told(network, [like(9, 9, "l0", device_hash="another", action="unliked")])
    last = network.judged[-1]
    assert (last.visitors, last.suspicious) == (("visitor",), 3)
    assert last.number > first.number
    assert_told(network, "o")


def test_a_like_that_is_taken_back_is_no_suspicious_one_where_nothing_is_judged_any_more() -> None:
    state, facts = new_state("shop", "o"), list[Fact]()
    for number in range(2):
        event, time = like(number, number, f"l{number}", device_hash="phone")
        facts += fold(state, event, time, STRICT) or ()
    event, time = like(7, 9, "l0", action="unliked")
    facts += fold(state, event, time, ShopSettings("shop")) or ()
    said = [fact for fact in facts if isinstance(fact, WishJudged)]
    assert [(fact.number, fact.suspicious, fact.likes) for fact in said] == [(1, 2, 0), (2, 1, 0)]


def test_numbers_go_on_past_an_erasure() -> None:
    network = Hearing(JUDGED)
    for round_, at in enumerate((0, 2 * DAY)):
        for number in range(4):
            name, phone = f"l{round_}-{number}", f"phone{round_}"
            told(network, [like(10 * round_ + number, at + number, name, device_hash=phone)])
        if not round_:
            told(network, [as_of("o", profile("erase", START + DAY, "erase"))])
    assert [fact.number for fact in network.judged] == list(range(1, len(network.judged) + 1))
    # The owner's state began anew with the erasure, and says so again.
    assert [fact.suspicious for fact in network.judged].count(4) == 2


def test_an_erased_liker_leaves_no_likes_given_and_the_wish_keeps_its_like() -> None:
    network = Hearing(JUDGED)
    told(network, [made(), seen("l1", -2 * DAY), like(1, 0, "l1")])
    given = network.states["liker:shop/l1"].liker_integrity
    assert given is not None
    assert len(given.given) == 1
    told(network, [as_of("l1", profile("erase", START + DAY, "erase"))])
    assert network.states["liker:shop/l1"].liker_integrity == LikerIntegrity()
    assert likes(network) == (1, 0, 0)
    # A like of before that arrives now is nobody's any more: it has no signs, and counts.
    told(network, [made("o2"), like(2, 5, "l1", "o2")])
    assert given == LikerIntegrity()
    assert wishes_of(network, "o2").likes == 1
    assert [fact.likers for fact in network.reached] == [1, 1]


def test_the_likes_of_a_customer_fit_their_state() -> None:
    each = NAMES_BYTES // LIKES // 3
    names = ["\U00020bb7" * (each // 4)] * 3
    given = GivenLike(names[0], names[1], 2**31, names[2])
    state = new_state("s" * 64, "\U00020bb7" * 64, "liker")
    state.liker_integrity = LikerIntegrity(2**31, [given] * LIKES)
    assert len(encode(state)) < 32 * 1024


likers = st.sampled_from(["l1", "l2", "l3", "o", "p"])
words = st.tuples(
    st.sampled_from([0, 1_000, 40 * MINUTE, 2 * 60 * MINUTE, DAY + 1]),
    st.sampled_from(["liked", "liked", "liked", "unliked"]),
    likers, st.sampled_from(["o", "p"]), st.sampled_from(["w", "v"]),
    st.sampled_from([None, "d1", "d2"]),
)  # fmt: skip
sightings = st.tuples(st.sampled_from([-2 * DAY, -DAY, -1, 0, 1]), likers)


def _drawn(said: list[Any], sights: list[Any]) -> list[Timed]:
    events = [
        like(number, at, liker, owner, f"{owner}-{wish_id}", action=action, device_hash=device)
        for number, (at, action, liker, owner, wish_id, device) in enumerate(said)
    ]
    events += [seen(customer, at) for at, customer in dict.fromkeys(sights)]
    return events + [made(owner, f"{owner}-{wish_id}") for owner in "op" for wish_id in "wv"]


def _run(events: list[Timed], shop: ShopSettings, chooser: random.Random | None = None) -> Hearing:
    network = Hearing(shop)
    for event, time in events:
        network.receive(event, time)
        while network.told and (chooser is None or chooser.random() < 0.4):
            network.deliver(chooser.randrange(len(network.told)) if chooser else 0)
    network.settle(chooser)
    return network


def _shown(state: CustomerState) -> tuple[Any, Any]:
    described = describe(state, STRICT)
    return described["wishes"], described["integrity"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(words, min_size=4, max_size=14), st.lists(sightings, max_size=6),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_verdicts_are_the_same_in_any_order_and_with_repeats(
    said: list[Any], sights: list[Any], chooser: random.Random
) -> None:
    events = _drawn(said, sights)
    expected = _run(events, STRICT)
    again = events + events[: len(events) // 2]
    chooser.shuffle(again)
    other = _run(again, STRICT, chooser)
    for owner in "op":
        assert _shown(other.of(owner)) == _shown(expected.of(owner))
    for network in (expected, other):
        _assert_reached_once(network)
        assert_told(network, "o", "p")


@settings(max_examples=25, deadline=None)
@given(
    st.sets(likers, min_size=1), st.lists(sightings, max_size=6), st.booleans(),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_honest_likes_reach_each_number_once_in_any_order(
    who: set[str], sights: list[Any], judged: bool, chooser: random.Random
) -> None:
    said = [(number * DAY, "liked", one, "o", "w", None) for number, one in enumerate(sorted(who))]
    events = _drawn(said, sights)
    chooser.shuffle(events)
    network = _run(events, JUDGED if judged else ShopSettings("shop"), chooser)
    wishes = wishes_of(network)
    assert (wishes.likes, wishes.suspicious) == (len(who - {"o"}), 0)
    spans = [(fact.before, fact.likers) for fact in network.reached]
    # All numbers up to that of the likers, each in one fact.
    assert sum(likers - before for before, likers in spans) == wishes.likes
    assert max((likers for _, likers in spans), default=0) == wishes.likes


def _assert_reached_once(network: Hearing) -> None:
    most: dict[str, int] = {}
    for fact in network.reached:
        assert fact.before == most.get(fact.wish_id, 0) < fact.likers
        most[fact.wish_id] = fact.likers


@pytest.mark.parametrize("count", [LIKERS, 2 * LIKERS])
def test_likers_who_left_stay_counted(count: int) -> None:
    network = Hearing(JUDGED)
    told(network, [made(), *(like(n, n * DAY, f"l{n}") for n in range(count))])
    assert likes(network) == (count, 0, 0)
    assert [fact.likers for fact in network.reached] == list(range(1, count + 1))
