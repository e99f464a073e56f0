"""What shops apply, pause and resume of their campaigns."""

from typing import Any, Final

from schemas.catalogue import CAMPAIGNS
from schemas.examples.example import Example, event

_WELCOME: Final = {
    "campaign": "welcome",
    "currency": "CNY",
    "trigger": {"joined_membership": {}},
    "offer": {"message": {"text": "Hi"}},
    "limits": {"per_customer": "1/total", "priority": 50},
    "delivery": {"channels": ["sms"], "on_quiet": "defer"},
}
_CART_RESCUE: Final = {
    "campaign": "cart-rescue",
    "currency": "CNY",
    "audience": {"all": [{"lifecycle": ["active", "repeat"]}, {"rfm.m": ">=3"}]},
    "trigger": {"abandoned_cart": {"after": "30m", "min_lines": 1}},
    "offer": {
        "coupon": {
            "percent": "10%",
            "max": "30.00",
            "min_spend": "99.00",
            "scope": ["cart"],
            "valid": "1d",
        }
    },
    "limits": {"per_customer": "1/7d", "budget": "50000.00/day", "priority": 50},
    "delivery": {
        "channels": ["app_push", "sms"],
        "quiet_hours": "22:00-08:00",
        "on_quiet": "defer",
        "expires": "12h",
    },
    "remind": {"before_expiry": "3h"},
    "measure": {"holdout": "5%", "conversion": "paid_order", "window": "3d"},
}


def _change(
    title: str, campaign: str, time: str, change: dict[str, Any], by: str = "mei"
) -> Example:
    data = {"shop_id": "tea", "campaign": campaign, "by": by, "change": change}
    return event(CAMPAIGNS, "shop.campaign.v1", title, "tea", time, data, source="huitou campaigns")


CAMPAIGN_EXAMPLES: Final = (
    _change(
        "minimal change: a campaign is resumed",
        "cart-rescue",
        "2026-06-03T08:00:00Z",
        {"type": "resumed"},
    ),
    _change(
        "first version, from now on",
        "welcome",
        "2026-06-01T08:00:00Z",
        {"type": "applied", "version": "de72ab8ad818ad98", "definition": _WELCOME},
    ),
    _change(
        "version that holds from a time on",
        "cart-rescue",
        "2026-06-01T08:00:00Z",
        {
            "type": "applied",
            "version": "2dcb68665b0cf447",
            "definition": _CART_RESCUE,
            "effective_from": "2026-06-18T00:00:00+08:00",
            "apply_ahead_s": 60,
        },
        by="release pipeline",
    ),
    _change(
        "campaign that is paused",
        "cart-rescue",
        "2026-06-02T08:00:00Z",
        {"type": "withdrawn", "reason": "coupons cost more than planned"},
    ),
)
