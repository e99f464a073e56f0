"""A customer's service cases: which are open, and how soon the shop replied and resolved.

A case keeps what was said of it as minima, maxima and sets, and its part in the totals
(``contribution``) is a function of these. So neither the order of arrival makes a difference, nor that
something is said again, under another event id or with another time:

- It counts once an inquiry or complaint is known, whatever came before; the earliest of them is when
  it was opened.
- The first reply is the earliest at or after the opening.
- The resolution is the last one: what had to be resolved again was not resolved before. One before
  the opening counts, but has no time to be measured.
- A survey's answer needs no case. The last one by event time is kept, so it corrects those before it;
  of two at one time the one with the greater hash of source and event id.
"""

from struct import Struct

import msgspec

from schemas.service import Service as ServiceData
from streams.domain.duplicates import find
from streams.domain.facts import CaseOpened, CaseResolved, Fact, SurveyAnswered
from streams.domain.names import cut, name_hash

INQUIRY, COMPLAINT, RESOLVED, SURVEYED = 1, 2, 4, 8
ACTION_BITS = {
    "inquiry": INQUIRY, "complaint": COMPLAINT, "resolved": RESOLVED, "survey_answered": SURVEYED,
}  # fmt: skip
OPENED = INQUIRY | COMPLAINT
#: Cases kept whole; those that are not open leave first, then the one longest without news.
CASES = 6
#: Cases known by their actions after they left, the newest; what comes of them later still counts,
#: but no longer moves the times. What comes of an older one is a new case's.
PAST_CASES = 24
#: Times of replies kept of a case; the latest leaves first, but never the first reply.
REPLIES = 4

#: hash of the case id, actions seen
_PAST = Struct("<8sB")
PAST_CASE_BYTES = _PAST.size
_SEEN_AT = PAST_CASE_BYTES - 1


class Case(msgspec.Struct, array_like=True, gc=False):
    """A case kept whole. ``seen``: bits of its actions; times in ms."""

    key: bytes
    #: Cut to 64 bytes.
    case_id: str
    seen: int = 0
    #: The newest time of any of its events.
    changed_at: int = 0
    #: The earliest inquiry or complaint.
    opened_at: int | None = None
    #: The latest ``resolved``.
    resolved_at: int | None = None
    #: Sorted, each once.
    replies: list[int] = []


class Service(msgspec.Struct, array_like=True, gc=False):
    """Cases over a customer's whole life."""

    #: With an inquiry or a complaint.
    opened: int = 0
    #: Of these: with a complaint, resolved.
    complaints: int = 0
    resolved: int = 0
    #: Of these: replied to at or after the opening, and the sum of the times from one to the other.
    replied: int = 0
    reply_ms: int = 0
    #: Of these: resolved at or after the opening, and the sum of the times to the last resolution.
    resolved_timed: int = 0
    resolution_ms: int = 0
    #: The last survey's answer, its time, and the hash of its source and event id.
    survey_score: int | None = None
    survey_at: int | None = None
    survey_key: bytes = b""
    cases: list[Case] = []
    #: Cases that left ``cases``, packed, oldest first.
    past: bytes = b""


_COUNTED = (
    "opened", "complaints", "resolved", "replied", "reply_ms", "resolved_timed", "resolution_ms",
)  # fmt: skip


def fold_service(
    service: Service, data: ServiceData, time: int, event_key: bytes
) -> tuple[Fact, ...]:
    """Fold one event of ``time`` (ms); what was said before changes nothing and is no fact.

    ``event_key`` is the hash of source and event id.
    """
    bit = ACTION_BITS.get(data.action, 0)
    case, known = None, 0
    if data.case_id is not None:
        key = name_hash(data.case_id)
        for kept in service.cases:
            if kept.key == key:
                case = kept
                break
        at = find(service.past, key, PAST_CASE_BYTES) if case is None else -1
        if at >= 0:
            known = _fold_past(service, at, bit)
        else:
            if case is None:
                case = Case(key, cut(data.case_id))
            known = case.seen
            _fold_case(service, case, bit, time)
    # Of an answer about no case all that is known is the last one.
    news = data.case_id is not None and not known & bit
    if bit == SURVEYED:
        news |= _take_answer(service, data.score or 0, time, event_key)
    return _facts(data, bit, case) if news else ()


def _fold_case(service: Service, case: Case, bit: int, time: int) -> None:
    before = contribution(case)
    case.seen |= bit
    case.changed_at = max(case.changed_at, time)
    if bit & OPENED:
        case.opened_at = time if case.opened_at is None else min(case.opened_at, time)
    elif bit == RESOLVED:
        case.resolved_at = time if case.resolved_at is None else max(case.resolved_at, time)
    elif not bit and time not in case.replies:
        case.replies = sorted([*case.replies, time])
        if len(case.replies) > REPLIES:
            case.replies.remove(_leaving_reply(case))
    _count(service, before, contribution(case))
    if case not in service.cases:
        service.cases.append(case)
        _bound(service)


def _bound(service: Service) -> None:
    while len(service.cases) > CASES:
        leaving = min(service.cases, key=_leaving_case)
        service.cases.remove(leaving)
        packed = service.past + _PAST.pack(leaving.key, leaving.seen)
        service.past = packed[-PAST_CASES * PAST_CASE_BYTES :]


def _fold_past(service: Service, at: int, bit: int) -> int:
    """Count an action of a case of which only the actions are known; returns those known before."""
    past = service.past
    seen = past[at + _SEEN_AT]
    case = Case(past[at : at + _SEEN_AT], "", seen)
    before = contribution(case)
    case.seen |= bit
    _count(service, before, contribution(case))
    packed = _PAST.pack(case.key, case.seen)
    service.past = past[:at] + packed + past[at + PAST_CASE_BYTES :]
    return seen


def contribution(case: Case) -> tuple[int, ...]:
    """A case's part in the totals, in the order of the fields of ``Service``."""
    seen, opened_at = case.seen, case.opened_at
    if not seen & OPENED:
        return (0, 0, 0, 0, 0, 0, 0)
    complaint, resolved = int(seen & COMPLAINT > 0), int(seen & RESOLVED > 0)
    reply, resolution = first_reply(case), case.resolved_at
    replied, reply_ms, timed, resolution_ms = 0, 0, 0, 0
    if opened_at is not None and reply is not None:
        replied, reply_ms = 1, reply - opened_at
    if opened_at is not None and resolution is not None and resolution >= opened_at:
        timed, resolution_ms = 1, resolution - opened_at
    return (1, complaint, resolved, replied, reply_ms, timed, resolution_ms)


def first_reply(case: Case) -> int | None:
    """When the case was first replied to after it was opened, ms."""
    opened_at = case.opened_at
    if opened_at is None:
        return None
    return next((time for time in case.replies if time >= opened_at), None)


def is_open(case: Case) -> bool:
    """Whether the customer still waits."""
    return case.seen & OPENED > 0 and not case.seen & RESOLVED


def _count(service: Service, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    if before == after:
        return
    for name, old, new in zip(_COUNTED, before, after, strict=True):
        if new != old:
            setattr(service, name, getattr(service, name) + new - old)


def _leaving_reply(case: Case) -> int:
    latest = case.replies[-1]
    return case.replies[0] if latest == first_reply(case) else latest


def _leaving_case(case: Case) -> tuple[bool, int, bytes]:
    return (is_open(case), case.changed_at, case.key)


def _take_answer(service: Service, score: int, time: int, event_key: bytes) -> bool:
    """Take over a survey's answer unless a later one is known; whether the last one is another now.

    The same answer under another event id is not, though the greater id's hash is kept.
    """
    last = service.survey_at
    if last is not None and (time, event_key) <= (last, service.survey_key):
        return False
    is_another = (time, score) != (last, service.survey_score)
    service.survey_score, service.survey_at, service.survey_key = score, time, event_key
    return is_another


def _facts(data: ServiceData, bit: int, case: Case | None) -> tuple[Fact, ...]:
    case_id = data.case_id or ""
    if bit & OPENED:
        return (CaseOpened(case_id, bit == COMPLAINT),)
    if bit == RESOLVED:
        took = contribution(case) if case is not None else (0,) * len(_COUNTED)
        return (CaseResolved(case_id, took[6] if took[5] else None),)
    if bit == SURVEYED:
        return (SurveyAnswered(case_id, data.score or 0),)
    return ()


def merge_service(service: Service, other: Service) -> None:
    """Bring the cases of one who was the same into ``service``, in place; each counts once."""
    for name in _COUNTED:
        setattr(service, name, getattr(service, name) + getattr(other, name))
    if other.survey_at is not None:
        _take_answer(service, other.survey_score or 0, other.survey_at, other.survey_key)
    together = {case.key: case for case in _all_cases(other)}
    for case in _all_cases(service):
        also = together.get(case.key)
        if also is None:
            together[case.key] = case
            continue
        one = together[case.key] = _one_case(case, also)
        for gone in (case, also):
            _count(service, contribution(gone), contribution(Case(gone.key, "")))
        _count(service, contribution(Case(one.key, "")), contribution(one))
    service.cases = [case for case in together.values() if case.case_id]
    past = b"".join(_PAST.pack(c.key, c.seen) for c in together.values() if not c.case_id)
    service.past = past[-PAST_CASES * PAST_CASE_BYTES :]
    _bound(service)


def _all_cases(service: Service) -> list[Case]:
    """Those kept whole and those of which only the actions are known, without their names."""
    return [*(Case(key, "", seen) for key, seen in _PAST.iter_unpack(service.past)), *service.cases]


def _one_case(mine: Case, other: Case) -> Case:
    opened = [case.opened_at for case in (mine, other) if case.opened_at is not None]
    resolved = [case.resolved_at for case in (mine, other) if case.resolved_at is not None]
    one = Case(
        mine.key,
        mine.case_id or other.case_id,
        mine.seen | other.seen,
        max(mine.changed_at, other.changed_at),
        min(opened, default=None),
        max(resolved, default=None),
        sorted({*mine.replies, *other.replies}),
    )
    while len(one.replies) > REPLIES:
        one.replies.remove(_leaving_reply(one))
    return one
