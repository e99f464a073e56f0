"""Which version of a campaign judges an event, by what was applied, paused and resumed."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.campaign import Applied, Change, Withdrawn
from schemas.catalogue import CAMPAIGNS
from schemas.decoding import RawRecord
from schemas.envelope import BODY_BYTES
from schemas.examples import EXAMPLES
from schemas.forwarded import arrived_header
from streams.authoring.files import check_text
from streams.authoring.templates import templates
from streams.campaigns.applied import log as applied_log
from streams.campaigns.applied.log import CampaignLog, RefusedChange
from streams.campaigns.applied.view import Campaigns
from streams.campaigns.language.definition.definition import canonical, version_of
from tests.campaigns.changes import (
    MINUTE,
    NOW,
    RESUMED,
    WITHDRAWN,
    applied,
    change,
    written,
)

DAY = 24 * 60 * MINUTE


def read(*records: RawRecord) -> CampaignLog:
    log = CampaignLog()
    for record in records:
        log.add(record)
    return log


def judging(view: Campaigns, time: int) -> str | None:
    version = view.judging("tea", "hello", time)
    return None if version is None else version.version


FIRST, SECOND, THIRD = (applied(text).version for text in ("Hi", "Hey", "Ho"))


def test_a_first_version_without_a_time_judges_whatever_is_processed_after_it() -> None:
    log = read(change(0, applied()))
    assert judging(log.upto(0), NOW) is None
    assert judging(log.upto(1), 0) == judging(log.upto(1), NOW + 400 * DAY) == FIRST


def test_a_first_version_with_a_time_judges_nothing_before_it() -> None:
    """A campaign for a promotion day must not begin when its file is applied."""
    view = read(change(0, applied(since=NOW + DAY))).upto(1)
    assert judging(view, NOW + DAY - 1) is None
    assert judging(view, NOW + DAY) == FIRST


def test_a_later_version_judges_from_its_time_on() -> None:
    view = read(change(0, applied()), change(1, applied("Hey", NOW + DAY))).upto(2)
    assert [judging(view, NOW + DAY + at) for at in (-1, 0, 1)] == [FIRST, SECOND, SECOND]


def test_of_several_whose_time_has_come_the_last_applied_judges() -> None:
    """So a mistake is mended before it takes effect, and what was meant for later comes sooner."""
    view = read(
        change(0, applied()),
        change(1, applied("Hey", NOW + 9 * DAY)),
        change(2, applied("Ho", NOW + 3 * DAY)),
    ).upto(3)
    times = (NOW, NOW + 3 * DAY - 1, NOW + 3 * DAY, NOW + 9 * DAY)
    assert [judging(view, time) for time in times] == [FIRST, FIRST, THIRD, THIRD]


def test_a_pause_ends_all_of_it_whatever_the_events_time() -> None:
    log = read(change(0, applied()), change(1, WITHDRAWN), change(2, RESUMED))
    for time in (0, NOW, NOW + DAY):
        assert [judging(log.upto(at), time) for at in (1, 2, 3)] == [FIRST, None, FIRST]
    assert log.upto(2).pause("tea", "hello") == log.upto(3).standings("tea", "hello")[0]
    assert log.upto(3).pause("tea", "hello") is None


def test_what_is_applied_while_a_campaign_is_paused_waits() -> None:
    log = read(change(0, applied()), change(1, WITHDRAWN), change(2, applied("Hey", NOW + DAY)))
    assert judging(log.upto(3), NOW + 2 * DAY) is None
    log.add(change(3, RESUMED))
    assert judging(log.upto(4), NOW + 2 * DAY) == SECOND


def test_campaigns_and_shops_are_apart() -> None:
    log = read(
        change(0, applied()),
        change(1, applied(name="bye"), "bye"),
        change(2, applied("Hey"), shop="ink"),
        change(3, WITHDRAWN, shop="ink"),
    )
    view = log.upto(4)
    assert (view.shops(), view.campaigns("tea")) == (["ink", "tea"], ["bye", "hello"])
    assert [each.definition.campaign for each in view.all_judging("tea", NOW)] == ["bye", "hello"]
    assert list(view.all_judging("ink", NOW)) == list(view.all_judging("none", NOW)) == []


def test_every_version_stays_readable() -> None:
    log = read(
        change(0, applied()),
        change(1, applied("Hey", NOW + DAY)),
        change(2, applied(since=NOW + 2 * DAY)),
        change(3, WITHDRAWN),
    )
    versions = log.upto(4).versions("tea", "hello")
    assert [each.version for each in versions] == [FIRST, SECOND, FIRST]
    assert versions[1].written == written(text="Hey")
    assert (versions[1].by, versions[1].at, versions[1].offset) == ("mei", NOW, 1)


def test_what_repeats_changes_nothing() -> None:
    log = read(change(0, applied()))
    before = log.upto(9).digest()
    assert not log.add(change(1, applied()))
    assert not log.add(change(2, RESUMED))
    assert log.upto(9).digest() == before
    assert log.add(change(3, WITHDRAWN))
    assert not log.add(change(4, WITHDRAWN))
    assert log.add(change(5, applied("Hey", NOW + DAY)))
    assert not log.add(change(6, applied("Hey", NOW + DAY)))
    assert len(log.upto(9).versions("tea", "hello")) == 2


def test_what_is_effective_too_early_by_its_arrival_does_not_count() -> None:
    """By what the record says of its stack, so that another setting does not change the past."""
    log = read(change(0, applied()))
    with pytest.raises(RefusedChange, match=r"at least 60 s after the version arrives"):
        log.add(change(1, applied("Hey", NOW + MINUTE - 1)))
    with pytest.raises(RefusedChange, match="first version may have no effective_from"):
        log.add(change(2, applied("Hey")))
    assert log.add(change(3, applied("Hey", NOW + MINUTE)))
    assert log.add(change(4, applied("Ho", NOW + 2_000, ahead_s=2)))
    # The first one's time may be early no more than another's.
    with pytest.raises(RefusedChange, match="too early"):
        read(change(0, applied(since=NOW)))


def test_what_was_carried_over_to_other_topics_counts_by_its_first_arrival() -> None:
    """`huitou repartition` writes it again, long after its time has come."""
    later = {"timestamp": NOW + 9 * DAY, "headers": (arrived_header(NOW),)}
    in_time, late = applied("Hey", NOW + MINUTE), applied("Ho", NOW + MINUTE - 1)
    log = read(change(0, applied())._replace(**later))
    assert log.add(change(1, in_time)._replace(**later))
    with pytest.raises(RefusedChange, match="too early"):
        log.add(change(2, late)._replace(**later))


def _raw(**changed: Any) -> Callable[[], RawRecord]:
    def make() -> RawRecord:
        return change(0, applied())._replace(**changed)

    return make


def _definition(**changed: Any) -> Change:
    definition = {**written(), **changed}
    return Applied(version=applied_log.version_of_written(definition), definition=definition)


DEEP = "null"
for _ in range(40):
    DEEP = '{"all": [' + DEEP + "]}"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_raw(value=None), "not deleted"),
        (_raw(key=None), "not deleted"),
        (_raw(value=b"{"), "not_json"),
        (_raw(value=b"\xff"), "not_json"),
        (_raw(value=b" " * (BODY_BYTES + 1)), "at most"),
        (_raw(value=b"{}"), "missing_field"),
        (lambda: change(0, applied(), key="ink"), "same shop id"),
        (lambda: change(0, applied(), subject="ink"), "same shop id"),
        (lambda: change(0, applied(), shop="_stack"), "every shop applies its own"),
        (lambda: change(0, WITHDRAWN), "has applied no campaign 'hello'"),
        (lambda: change(0, RESUMED), "has applied no campaign 'hello'"),
        (lambda: change(0, applied(), "other"), "the definition is of 'hello'"),
        (
            lambda: change(0, Applied(version="0" * 16, definition=written())),
            "does not name its definition",
        ),
        (lambda: change(0, _definition(offer={})), "the definition is none: offer"),
        (lambda: change(0, _definition(trigger="never")), "the definition is none: trigger"),
        (lambda: change(0, _definition(audience=json.loads(DEEP))), "nested deeper than 64"),
        (
            lambda: change(0, _definition(effective_from="2026-01-01T00:00:00Z")),
            "stands beside it",
        ),
    ],
)
def test_what_does_not_count(make: Callable[[], RawRecord], reason: str) -> None:
    log = CampaignLog()
    with pytest.raises(RefusedChange, match=reason):
        log.add(make())
    assert log.upto(9).shops() == []


def test_all_that_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_VERSIONS", "MOST_PAUSES", "MOST_CAMPAIGNS"):
        monkeypatch.setattr(applied_log, name, 2)
    log = read(change(0, applied()), change(1, applied("Hey", NOW + DAY)))
    with pytest.raises(RefusedChange, match="the most: give it another name"):
        log.add(change(2, applied("Ho", NOW + DAY)))
    for offset in (3, 5):
        assert log.add(change(offset, WITHDRAWN))
        assert log.add(change(offset + 1, RESUMED))
    # A campaign that costs money is stopped, however often it was before.
    assert log.add(change(7, WITHDRAWN))
    with pytest.raises(RefusedChange, match="paused 2 times"):
        log.add(change(8, RESUMED))
    assert log.add(change(9, applied(name="b"), "b"))
    with pytest.raises(RefusedChange, match="the shop has 2 campaigns"):
        log.add(change(10, applied(name="c"), "c"))


def test_a_version_keeps_its_name_when_the_language_grows() -> None:
    """A build that writes one more default names the same content otherwise; what is applied stays."""
    definition = written()
    definition["limits"] = {"per_customer": "1/total"}
    older = Applied(version=applied_log.version_of_written(definition), definition=definition)
    (version,) = read(change(0, older)).upto(1).versions("tea", "hello")
    assert version.version == older.version != version_of(version.definition)
    assert canonical(version.definition) == written()


def test_the_examples_of_the_contract_count() -> None:
    """All but the first in the list, which is minimal, in the order of their times."""
    examples = sorted(
        (each for each in EXAMPLES if each.topic == CAMPAIGNS),
        key=lambda each: str(json.loads(each.value)["time"]),
    )
    log = CampaignLog()
    for offset, each in enumerate(examples):
        assert log.add(RawRecord(CAMPAIGNS, 0, offset, NOW, each.key, each.value))
    view = log.upto(len(examples))
    assert view.campaigns("tea") == ["cart-rescue", "welcome"]
    assert [each.paused for each in view.standings("tea", "cart-rescue")] == [True, False]


@pytest.mark.parametrize("template", templates().values(), ids=lambda each: each.name)
def test_every_template_can_be_applied(template: Any) -> None:
    definition = check_text(template.text.encode(), template.name).definition
    assert definition is not None
    form = canonical(definition)
    form.pop("effective_from", None)
    what = Applied(version=version_of(definition), definition=form)
    (version,) = read(change(0, what, definition.campaign)).upto(1).all_judging("tea", NOW)
    assert msgspec.structs.replace(version.definition, effective_from=None) == (
        msgspec.structs.replace(definition, effective_from=None)
    )


#: (what, its text, its effective_from after NOW or None) of two campaigns.
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["hello", "bye"]),
        st.sampled_from(["apply", "withdraw", "resume"]),
        st.sampled_from(["Hi", "Hey", "Ho"]),
        st.none() | st.integers(0, 5).map(lambda minutes: minutes * MINUTE),
    ),
    max_size=12,
)


@given(CHANGES)
def test_a_view_is_what_a_reader_of_that_much_would_have(drawn: list[Any]) -> None:
    """Views of a log that was read further, of one read so far only, and a plain account of the rules."""
    records = []
    for offset, (name, what, text, since) in enumerate(drawn):
        said: Change = RESUMED if what == "resume" else Withdrawn(reason="x")
        if what == "apply":
            said = applied(text, None if since is None else NOW + since, name)
        records.append(change(offset, said, name))
    whole = CampaignLog()
    _add(whole, records)
    for end in range(len(records) + 1):
        part = CampaignLog()
        _add(part, records[:end])
        view = whole.upto(end)
        assert view.digest() == part.upto(end).digest() == part.upto(99).digest()
        for name in ("hello", "bye"):
            for minutes in range(6):
                found = view.judging("tea", name, NOW + minutes * MINUTE)
                expected = _plainly(drawn[:end], name, minutes * MINUTE)
                assert (None if found is None else found.offset) == expected


def _add(log: CampaignLog, records: list[RawRecord]) -> None:
    for record in records:
        # As a reader does: what is refused does not count.
        with contextlib.suppress(RefusedChange):
            log.add(record)


def _plainly(drawn: list[Any], name: str, time: int) -> int | None:
    """The offset of the version that judges, told from the list alone."""
    counted: list[tuple[int, str, int | None]] = []
    paused = False
    for offset, (of, what, text, since) in enumerate(drawn):
        if of != name:
            continue
        if what == "apply":
            early = bool(counted) if since is None else since < MINUTE
            if not early and not (counted and counted[-1][1:] == (text, since)):
                counted.append((offset, text, since))
        elif counted:
            paused = what == "withdraw"
    if paused:
        return None
    come = [offset for offset, _, since in counted if since is None or since <= time]
    return come[-1] if come else None
