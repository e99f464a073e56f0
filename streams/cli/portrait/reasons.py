"""Why a customer is in a stage of the life-cycle, from what ``describe_worth`` says of them."""

from typing import Any

from streams.cli.portrait.words import Words
from streams.domain.lifecycle import DORMANT_DAYS, FRESH_DAYS, LOST_DAYS


def reason(worth: dict[str, Any], words: Words) -> str | None:
    """The clause of ``streams.domain.lifecycle`` that gave the stage; None where it is not known."""
    stage, age = worth["lifecycle"]["stage"], worth["rfm"]["recency_days"]
    if stage == "visitor":
        return words("why_visitor")
    if stage is None or age is None:
        return None
    if stage == "dormant" and age <= DORMANT_DAYS:
        return words("why_dormant_by_interval", age=age, days=days_of(worth["interval_days"]))
    if stage == "lost" and worth["interval_days"] is None:
        # Who ordered on one day only has no interval, and is judged by the days.
        return words("why_dormant", age=age, dormant=LOST_DAYS)
    if stage == "repeat":
        orders = worth["rfm"]["orders"]
        return words("why_repeat", orders=orders) if orders else words("why_repeat_some")
    return words(f"why_{stage}", age=age, fresh=FRESH_DAYS, dormant=DORMANT_DAYS, lost=LOST_DAYS)


def days_of(days: float | None) -> str:
    """A number of days without a needless fraction; an interval that is not known: a question mark."""
    return "?" if days is None else f"{days:g}"
