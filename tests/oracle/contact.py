"""What `huitou customer` must show of cases, wishes and the profile: docs/contract.md, docs/state.md."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from tests.oracle.events import EPOCH, PROFILES, SERVICE, WISHES, Event

Shown = dict[str, Any]
DECISIONS = ("withdrawn", "granted", "declined")


def of_topic(events: Iterable[Event], topic: str) -> list[Event]:
    return [event for event in events if event.topic == topic]


def moment(time: int | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    if time is None:
        return None
    text = (EPOCH + timedelta(milliseconds=time)).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


def stamp(event: Event) -> tuple[int, bytes]:
    """Of two things said of the same, the one with the greater stamp stands."""
    name = f"{event.source}\0{event.id}".encode()
    return event.time, hashlib.blake2b(name, digest_size=8).digest()


def _grouped(events: Iterable[Event], name: str) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        if name in event.data:
            groups.setdefault(event.data[name], []).append(event)
    return groups


def _first(events: Iterable[Event], *actions: str, since: int = 0) -> int | None:
    times = [e.time for e in events if e.data["action"] in actions and e.time >= since]
    return min(times, default=None)


# --- service


def service(events: Iterable[Event]) -> Shown:
    """The totals; ``open_cases`` has the cases themselves."""
    own = of_topic(events, SERVICE)
    shown: Shown = dict.fromkeys(
        ["opened", "complaints", "resolved", "open", "replied", "reply_ms", "resolved_timed",
         "resolution_ms"],
        0,
    )  # fmt: skip
    for case in _grouped(own, "case_id").values():
        opened = _first(case, "inquiry", "complaint")
        if opened is None:
            continue
        shown["opened"] += 1
        shown["complaints"] += _first(case, "complaint") is not None
        resolved = _first(case, "resolved") is not None
        shown["resolved"] += resolved
        shown["open"] += not resolved
        reply = _first(case, "replied", since=opened)
        if reply is not None:
            shown["replied"] += 1
            shown["reply_ms"] += reply - opened
        resolution = max(
            (e.time for e in case if e.data["action"] == "resolved"), default=opened - 1
        )
        if resolution >= opened:
            shown["resolved_timed"] += 1
            shown["resolution_ms"] += resolution - opened
    answers = [event for event in own if event.data["action"] == "survey_answered"]
    last = max(answers, key=stamp, default=None)
    shown["survey_score"] = None if last is None else last.data["score"]
    shown["survey_at"] = None if last is None else moment(last.time)
    return shown


def open_cases(events: Iterable[Event]) -> list[Shown]:
    """The cases that the customer waits for, by name."""
    shown = []
    for name, case in sorted(_grouped(of_topic(events, SERVICE), "case_id").items()):
        opened = _first(case, "inquiry", "complaint")
        if opened is None or _first(case, "resolved") is not None:
            continue
        shown.append(
            {
                "case_id": name,
                "complaint": _first(case, "complaint") is not None,
                "opened_at": moment(opened),
                "first_reply_at": moment(_first(case, "replied", since=opened)),
            }
        )
    return shown


# --- wishes


def wishes(events: Iterable[Event], owner: str) -> Shown:
    """The totals; ``wish_list`` has the wishes themselves."""
    listed = wish_list(events, owner)
    counts = [wish["status"] for wish in listed]
    return {
        "made": sum(status != "unknown" for status in counts),
        "open": counts.count("open"),
        **{status: counts.count(status) for status in DECISIONS},
        "likes": sum(wish["likes"] for wish in listed),
        "self_likes": sum(wish["self_liked"] for wish in listed),
        # Of shops that set no limits, as all of these are.
        "suspicious_likes": 0,
        "comments": sum(wish["comments"] for wish in listed),
        "stories": sum(wish["stories"] for wish in listed),
    }


def wish_list(events: Iterable[Event], owner: str) -> list[Shown]:
    """Every wish that anything was said of, by name; likes by device as counts, sorted."""
    groups = _grouped(of_topic(events, WISHES), "wish_id")
    return [_wish(name, groups[name], owner) for name in sorted(groups)]


def _wish(name: str, events: Sequence[Event], owner: str) -> Shown:
    actions = [event.data["action"] for event in events]
    made = min((e for e in events if e.data["action"] == "made"), key=_making, default=None)
    decided = [event for event in events if event.data["action"] in DECISIONS]
    last = max(decided, key=lambda e: (e.time, DECISIONS.index(e.data["action"])), default=None)
    status = "unknown"
    if made:
        status = "open" if last is None else last.data["action"]
    likers = _likers(events)
    devices = [device for liker, device in likers.items() if liker != owner and device]
    return {
        "wish_id": name,
        "status": status,
        "made_at": moment(made.time) if made else None,
        "decided_at": None if last is None else moment(last.time),
        "sku": made.data.get("sku") if made else None,
        "attributes": made.data.get("attributes", {}) if made else {},
        "likes": len(likers.keys() - {owner}),
        "self_liked": owner in likers,
        "suspicious_likes": 0,
        "likes_by_device": sorted(devices.count(device) for device in set(devices)),
        "comments": actions.count("commented"),
        "stories": actions.count("story"),
    }


def _making(event: Event) -> tuple[int, str, list[str]]:
    """The least of them is what the wish is: the earliest, then by sku, then by attributes."""
    attributes = sorted(event.data.get("attributes", {}).items())
    return event.time, event.data.get("sku", ""), [part for pair in attributes for part in pair]


def _likers(events: Iterable[Event]) -> dict[str, str]:
    """Those whose last word is that they like it, each with the device that it came from."""
    words: dict[str, list[Event]] = {}
    for event in events:
        if event.data["action"] in ("liked", "unliked"):
            words.setdefault(event.data["liker_id"], []).append(event)
    last = {liker: max(said, key=_word_order) for liker, said in words.items()}
    return {
        liker: event.data.get("device_hash", "")
        for liker, event in last.items()
        if event.data["action"] == "liked"
    }


def _word_order(event: Event) -> tuple[int, bool, bytes]:
    """By time; then ``unliked`` is the last word, then the like whose device has the greater hash."""
    device = event.data.get("device_hash", "")
    hashed = hashlib.blake2b(device.encode(), digest_size=4).digest() if device else bytes(4)
    return event.time, event.data["action"] == "unliked", hashed


# --- profile


def profile(events: Iterable[Event]) -> Shown:
    own = sorted(of_topic(events, PROFILES), key=stamp)
    shown: Shown = dict.fromkeys(
        ["birthday", "gender", "age_band", "income_band", "education", "region", "alias_of"]
    )
    shown |= {"tags": [], "consent": {}}
    joined = [event.time for event in own if event.data["action"] == "joined_membership"]
    shown["joined_at"] = moment(min(joined, default=None))
    for event in own:
        data = event.data
        if data["action"] == "updated":
            said = {name: data[name] for name in shown if name in data}
            shown |= {name: said[name] for name in said.keys() - {"alias_of", "consent"}}
            if "tags" in said:
                shown["tags"] = sorted(set(said["tags"]))
        elif data["action"] == "consent":
            for channel, given in data["consent"].items():
                shown["consent"][channel] = {"given": given, "at": moment(event.time)}
    return shown


# --- erasure


def since_erasure(events: Iterable[Event]) -> tuple[list[Event], int | None]:
    """The events that count, and when the customer was erased last.

    Of what is later than the erase only what also came after it counts: whoever publishes sees to it
    that this makes no difference.
    """
    held = list(events)
    erased = [
        event.time for event in held if event.topic == PROFILES and event.data["action"] == "erase"
    ]
    if not erased:
        return held, None
    return [event for event in held if event.time > max(erased)], max(erased)


# --- hand-over


def handed_over(events: Iterable[Event]) -> dict[tuple[str, str], tuple[str, str]]:
    """(shop, visitor) to (shop, customer); whoever publishes names one customer for each visitor."""
    return {
        event.customer: (event.customer[0], event.data["alias_of"])
        for event in of_topic(events, PROFILES)
        if event.data["action"] == "alias" and event.data["alias_of"] != event.customer[1]
    }
