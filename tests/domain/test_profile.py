"""The profile: of each field and each channel's consent, the last word by event time."""

import itertools
from datetime import date
from typing import Any

from streams.domain.describe import describe
from streams.domain.facts import ConsentChanged, MembershipJoined, ProfileChanged
from streams.domain.fold import fold
from streams.domain.profile import TAGS_BYTES
from streams.domain.state import CustomerState
from tests.domain.events import MINUTE, SHOP, START, fold_all, profile


def shown(state: CustomerState) -> dict[str, Any]:
    found: dict[str, Any] = describe(state, SHOP)["profile"]
    return found


def test_each_field_is_that_of_the_last_event_that_has_it() -> None:
    events = [
        profile("1", START, "updated", gender="male", region="CN-31", birthday=date(1994, 2, 28)),
        profile("2", START + 2, "updated", region="CN-33"),
        profile("3", START + 1, "updated", gender="female", region="CN-44", education="master"),
    ]
    for shuffled in itertools.permutations(events):
        got = shown(fold_all([*shuffled, shuffled[0]]))
        assert (got["gender"], got["region"]) == ("female", "CN-33")
        assert (got["birthday"], got["education"]) == ("1994-02-28", "master")


def test_at_one_time_every_order_ends_alike() -> None:
    events = [profile(f"{n}", START, "updated", region=f"r{n}") for n in range(4)]
    ends = {shown(fold_all(list(some)))["region"] for some in itertools.permutations(events)}
    assert len(ends) == 1


def test_tags_are_replaced_whole_and_may_be_none() -> None:
    events = [
        profile("1", START, "updated", tags=["tea", "gifts", "tea"]),
        profile("2", START + 1, "updated"),
    ]
    assert shown(fold_all(events))["tags"] == ["gifts", "tea"]
    assert shown(fold_all([*events, profile("3", START + 2, "updated", tags=[])]))["tags"] == []


def test_tags_that_do_not_fit_are_left_out_from_the_end() -> None:
    tags = [f"{number:02d}".ljust(64, "x") for number in range(20)]
    got = shown(fold_all([profile("1", START, "updated", tags=tags)]))["tags"]
    assert got == tags[: TAGS_BYTES // 64]


def test_long_names_are_cut() -> None:
    got = shown(fold_all([profile("1", START, "updated", region="图" * 64)]))
    assert got["region"] == "图" * 21


def test_consent_by_channel_with_the_time_it_was_said() -> None:
    events = [
        profile("1", START, "consent", consent={"sms": True, "email": True}),
        profile("2", START + MINUTE, "consent", consent={"sms": False}),
    ]
    for some in (events, events[::-1]):
        assert shown(fold_all(some))["consent"] == {
            "sms": {"given": False, "at": "2024-06-01T00:01:00.000Z"},
            "email": {"given": True, "at": "2024-06-01T00:00:00.000Z"},
        }


def test_an_action_takes_only_what_it_is_about() -> None:
    event = profile(
        "1", START, "joined_membership", region="x", consent={"sms": True}, alias_of="c2"
    )
    got = shown(fold_all([event]))
    assert (got["region"], got["consent"], got["alias_of"]) == (None, {}, None)


def test_the_first_membership_stands() -> None:
    events = [profile(f"{n}", START + n, "joined_membership") for n in (2, 1, 3)]
    assert shown(fold_all(events))["joined_at"] == "2024-06-01T00:00:00.001Z"


def test_what_campaigns_are_told() -> None:
    events = [
        profile("1", START, "updated", region="x", tags=["tea"]),
        profile("2", START + 1, "updated", region="x", gender="female"),
        profile("3", START - 1, "updated", region="older"),
        profile("4", START, "joined_membership"),
        profile("5", START + 1, "joined_membership"),
        profile("6", START, "consent", consent={"sms": True, "email": False}),
        profile("7", START + 1, "consent", consent={"sms": True}),
    ]
    state = fold_all([])
    told = [fold(state, event, time, SHOP) for event, time in events]
    assert told == [
        (ProfileChanged(("region", "tags")),), (ProfileChanged(("gender",)),), (),
        (MembershipJoined(),), (),
        (ConsentChanged("sms", given=True), ConsentChanged("email", given=False)), (),
    ]  # fmt: skip
