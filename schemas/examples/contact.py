"""What customers ask, wish and say of themselves: service desk, wishes and accounts."""

from typing import Any, Final

from schemas.catalogue import PROFILES, SERVICE, WISHES
from schemas.examples.example import Example, event


def _service(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(SERVICE, "shop.service.v1", title, subject, time, data, source="service-desk")


def _wish(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(WISHES, "shop.wish.v1", title, subject, time, data, source="wishes")


def _profile(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(PROFILES, "shop.profile.v1", title, subject, time, data, source="accounts")


_SERVICE = (
    _service(
        "minimal survey answer",
        "100001",
        "2026-05-30T09:00:00Z",
        shop_id="tea",
        action="survey_answered",
        score=7,
    ),
    _service(
        "complaint",
        "100001",
        "2026-05-29T09:05:00Z",
        shop_id="tea",
        action="complaint",
        case_id="case-88",
        topic="quality",
        text="The seam came apart after one wash.",
        order_id="20260520-000017",
    ),
    _service(
        "complaint replied to",
        "100001",
        "2026-05-29T09:17:30Z",
        shop_id="tea",
        action="replied",
        case_id="case-88",
    ),
    _service(
        "complaint resolved",
        "100001",
        "2026-05-30T08:40:00Z",
        shop_id="tea",
        action="resolved",
        case_id="case-88",
    ),
)

_WISHES = (
    _wish(
        "minimal wish",
        "100001",
        "2026-06-03T10:00:00Z",
        shop_id="tea",
        wish_id="w-5",
        action="made",
    ),
    _wish(
        "wish for a size",
        "100001",
        "2026-06-03T10:00:00Z",
        shop_id="tea",
        wish_id="w-6",
        action="made",
        sku="2734026",
        attributes={"colour": "jade", "size": "XXL"},
        device_hash="d41d8cd98f00b204",
    ),
    _wish(
        "wish liked by a friend",
        "100001",
        "2026-06-03T10:12:00Z",
        shop_id="tea",
        wish_id="w-6",
        action="liked",
        liker_id="100002",
        device_hash="9e107d9d372bb682",
    ),
    _wish(
        "wish granted",
        "100001",
        "2026-06-20T02:00:00Z",
        shop_id="tea",
        wish_id="w-6",
        action="granted",
    ),
)

_PROFILES = (
    _profile(
        "minimal membership",
        "100001",
        "2026-05-20T08:09:00Z",
        shop_id="tea",
        action="joined_membership",
    ),
    _profile(
        "profile filled in",
        "100001",
        "2026-05-20T08:09:30Z",
        shop_id="tea",
        action="updated",
        birthday="1994-02-28",
        gender="female",
        age_band="30-34",
        income_band="10k-15k",
        education="bachelor",
        region="CN-33",
        tags=["green tea", "gifts"],
    ),
    _profile(
        "consent to messages",
        "100001",
        "2026-05-20T08:10:00Z",
        shop_id="tea",
        action="consent",
        consent={"app_push": True, "sms": False},
    ),
    _profile(
        "anonymous visitor signed in",
        "anonymous-5f0c",
        "2026-05-20T08:08:59Z",
        shop_id="tea",
        action="alias",
        alias_of="100001",
    ),
    _profile(
        "customer to be forgotten",
        "100003",
        "2026-07-01T06:00:00Z",
        shop_id="tea",
        action="erase",
    ),
)

CONTACT_EXAMPLES: Final = (*_SERVICE, *_WISHES, *_PROFILES)
