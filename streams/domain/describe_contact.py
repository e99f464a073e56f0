"""Service cases, wishes and the profile for people and JSON: parts of ``describe``."""

from typing import Any

from streams.domain.moments import moment
from streams.domain.profile import Profile, consents_of
from streams.domain.service import COMPLAINT, Case, Service, first_reply, is_open
from streams.domain.wishes import Wish, Wishes, contribution, likes_by_device, status_of


def describe_service(service: Service) -> dict[str, Any]:
    """The totals, and the cases that the customer waits for, by opening."""
    waiting = [case for case in service.cases if is_open(case)]
    return {
        "opened": service.opened,
        "complaints": service.complaints,
        "resolved": service.resolved,
        "open": service.opened - service.resolved,
        "replied": service.replied,
        "reply_ms": service.reply_ms,
        "resolved_timed": service.resolved_timed,
        "resolution_ms": service.resolution_ms,
        "survey_score": service.survey_score,
        "survey_at": moment(service.survey_at),
        "open_cases": [
            _case(case) for case in sorted(waiting, key=lambda each: (each.opened_at, each.key))
        ],
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "complaint": case.seen & COMPLAINT > 0,
        "opened_at": moment(case.opened_at),
        "first_reply_at": moment(first_reply(case)),
    }


def describe_wishes(wishes: Wishes) -> dict[str, Any]:
    """The totals, and the wishes that are kept whole, the newest news last."""
    recent = sorted(wishes.wishes, key=lambda wish: (wish.changed_at, wish.key))
    return {
        "made": wishes.made,
        "open": wishes.made - wishes.withdrawn - wishes.granted - wishes.declined,
        "withdrawn": wishes.withdrawn,
        "granted": wishes.granted,
        "declined": wishes.declined,
        "likes": wishes.likes,
        "self_likes": wishes.self_likes,
        "suspicious_likes": wishes.suspicious,
        "comments": wishes.comments,
        "stories": wishes.stories,
        "recent": [_wish(wish) for wish in recent],
    }


def _wish(wish: Wish) -> dict[str, Any]:
    part = contribution(wish)
    likes, self_likes, suspicious = part[4], part[5], part[8]
    parts = wish.attributes
    return {
        "wish_id": wish.wish_id,
        "status": status_of(wish),
        "made_at": moment(wish.made_at),
        "decided_at": moment(wish.decided_at),
        "sku": wish.sku or None,
        "attributes": {parts[at]: parts[at + 1] for at in range(0, len(parts), 2)},
        "likes": likes,
        "self_liked": self_likes > 0,
        "suspicious_likes": suspicious,
        "likes_by_device": {
            device.hex(): count for device, count in sorted(likes_by_device(wish).items())
        },
        "comments": wish.comments,
        "stories": wish.stories,
    }


def describe_profile(profile: Profile) -> dict[str, Any]:
    """What is not known is None; consents are those of which anything was said."""
    return {
        "birthday": profile.birthday or None,
        "gender": profile.gender or None,
        "age_band": profile.age_band or None,
        "income_band": profile.income_band or None,
        "education": profile.education or None,
        "region": profile.region or None,
        "tags": profile.tags,
        "alias_of": profile.alias_of or None,
        "joined_at": moment(profile.joined_at),
        "consent": {
            channel: {"given": given, "at": moment(at)}
            for channel, (given, at) in consents_of(profile).items()
        },
    }
