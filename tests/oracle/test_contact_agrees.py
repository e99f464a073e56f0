"""Service, wishes, profile and erasure: the domain shows what the oracle expects, in any order."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.decoding import Decoded, Decoder, RawRecord
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.oracle import contact
from tests.oracle.described import described_figures, described_lists
from tests.oracle.events import (
    CLICKS,
    PROFILES,
    SERVICE,
    WISHES,
    Published,
    distinct,
)
from tests.oracle.expected import expect

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = {
    CLICKS: "shop.click.v1", SERVICE: "shop.service.v1", WISHES: "shop.wish.v1",
    PROFILES: "shop.profile.v1",
}  # fmt: skip
SHOP = ShopSettings("s")
Entry = tuple[str, int, dict[str, Any]]

MINUTES = st.integers(0, 12) | st.sampled_from([1_440, 2_880, 9_000])
#: As many as a state keeps of a case, so that no reply is forgotten.
REPLIED_AT = st.sampled_from([0, 3, 7, 1_440])
CASES = st.sampled_from(["k1", "k1", "k1", "k2", "k3"])
WISH_IDS = st.sampled_from(["w1", "w1", "w2"])
PEOPLE = st.sampled_from(["c", "friend", "stranger", "aunt"])


def _lean(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}


service_entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        lambda at, action, case: (SERVICE, at, {"action": action, "case_id": case}),
        MINUTES, st.sampled_from(["inquiry", "complaint", "resolved"]), CASES,
    ),
    st.builds(
        lambda at, case: (SERVICE, at, {"action": "replied", "case_id": case}), REPLIED_AT, CASES
    ),
    st.builds(
        lambda at, case, score: (
            SERVICE, at, _lean({"action": "survey_answered", "case_id": case, "score": score}),
        ),
        MINUTES, st.none() | CASES, st.integers(0, 10),
    ),
)  # fmt: skip
wish_entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        lambda at, action, wish, more: (WISHES, at, {"action": action, "wish_id": wish, **more}),
        MINUTES, st.sampled_from(["made", "made", "withdrawn", "granted", "declined", "story"]),
        WISH_IDS,
        st.fixed_dictionaries(
            {},
            optional={
                "sku": st.sampled_from(["A", "B"]),
                "attributes": st.sampled_from([{}, {"size": "L"}, {"size": "M", "colour": "red"}]),
            },
        ),
    ),
    st.builds(
        lambda at, action, wish, liker, device: (
            WISHES, at,
            _lean({"action": action, "wish_id": wish, "liker_id": liker, "device_hash": device}),
        ),
        MINUTES, st.sampled_from(["liked", "liked", "unliked", "commented"]), WISH_IDS, PEOPLE,
        st.sampled_from([None, "d1", "d2"]),
    ),
)  # fmt: skip
profile_entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        lambda at, said: (PROFILES, at, {"action": "updated", **said}),
        MINUTES,
        st.fixed_dictionaries(
            {},
            optional={
                "birthday": st.dates().map(str), "gender": st.sampled_from(["female", "other"]),
                "age_band": st.sampled_from(["20-24", "25-29"]), "income_band": st.just("10k"),
                "education": st.sampled_from(["master", "school"]),
                "region": st.sampled_from(["CN-33", "CN-31"]),
                "tags": st.lists(st.sampled_from(["tea", "gifts", "茶"]), max_size=4),
            },
        ),
    ),
    st.builds(
        lambda at, consent: (PROFILES, at, {"action": "consent", "consent": consent}),
        MINUTES, st.dictionaries(st.sampled_from(["sms", "email", "chat"]), st.booleans()),
    ),
    st.builds(lambda at: (PROFILES, at, {"action": "joined_membership"}), MINUTES),
)  # fmt: skip
clicks: st.SearchStrategy[Entry] = st.builds(lambda at: (CLICKS, at, {"action": "view"}), MINUTES)
ENTRIES = st.lists(st.one_of(service_entries, wish_entries, profile_entries), max_size=24)


def _published(number: int, entry: Entry) -> Published:
    topic, minute, data = entry
    value = {
        # Neither the order of ids nor that of their hashes is that of the events.
        "specversion": "1.0", "type": TYPES[topic], "id": f"{number * 7 % 10}-{number}",
        "source": "test", "subject": "c", "time": (START + timedelta(minutes=minute)).isoformat(),
        "data": {"shop_id": "s", **data},
    }  # fmt: skip
    return Published(topic, "c", value)


def _publish(entries: list[Entry]) -> list[Published]:
    """Each under an id of its own, whatever else says the same of the same case or wish."""
    return [_published(number, entry) for number, entry in enumerate(entries)]


def _fold(published: list[Published]) -> CustomerState:
    state = new_state("s", "c")
    decoder = Decoder(1)
    for offset, event in enumerate(published):
        now = 1_900_000_000_000
        raw = RawRecord(event.topic, 0, offset, now, b"c", msgspec.json.encode(event.value))
        item = decoder.decode(raw, now)
        assert isinstance(item, Decoded), item
        fold(state, item.event, item.time_ms, SHOP)
    return state


def _assert_agrees(state: CustomerState, published: list[Published]) -> None:
    (figures,) = expect(published).customers.values()
    assert described_figures(state) == figures
    events, _ = contact.since_erasure(distinct(published)[0])
    cases, wishes = described_lists(state)
    assert cases == contact.open_cases(events)
    assert wishes == contact.wish_list(events, "c")


@settings(max_examples=300, deadline=None, phases=set(Phase) - {Phase.explain})
@given(
    ENTRIES
    | st.lists(service_entries, min_size=10, max_size=24)
    | st.lists(wish_entries, min_size=10, max_size=24),
    st.randoms(use_true_random=False),
)
def test_in_any_order_with_duplicates(entries: list[Entry], shuffler: random.Random) -> None:
    published = _publish(entries)
    if not published:
        return
    shuffled = published + published[: len(published) // 2]
    shuffler.shuffle(shuffled)
    _assert_agrees(_fold(published), published)
    _assert_agrees(_fold(shuffled), published)


@settings(max_examples=200, deadline=None, phases=set(Phase) - {Phase.explain})
@given(
    st.lists(st.one_of(service_entries, wish_entries, profile_entries, clicks), max_size=24),
    st.integers(-1, 12),
    st.randoms(use_true_random=False),
)
def test_an_erased_customer(entries: list[Entry], minute: int, shuffler: random.Random) -> None:
    """What came until the erase arrives before or after it, what is later after it."""
    published = _publish(entries)
    erase = _published(99, (PROFILES, minute, {"action": "erase"}))
    limit = erase.value["time"]
    until = [one for one in published if one.value["time"] <= limit]
    since = [one for one in published if one.value["time"] > limit]
    cut = shuffler.randint(0, len(until))
    rest = [*until[cut:], *since, *since[:3], erase, *until[:3]]
    shuffler.shuffle(rest)
    _assert_agrees(_fold([*until[:cut], erase, *rest]), [erase, *published])
