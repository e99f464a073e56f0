"""Definitions: read whole, refused with every problem in its place, the same version for the same content."""

import json
from typing import Any

import fastjsonschema
import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.authoring.files import check_text
from streams.authoring.yaml_tree import yaml_tree
from streams.campaigns.language.definition.definition import (
    DEFINITION,
    CampaignDefinition,
    Delivery,
    Limits,
    Measure,
    Remind,
    canonical,
    version_of,
)
from streams.campaigns.language.definition.offers import Coupon, Offer
from streams.campaigns.language.definition.reading import read_definition, read_json
from streams.campaigns.language.definition.schema import definition_schema
from streams.campaigns.language.definition.triggers import TRIGGER, TRIGGERS, AbandonedCart
from streams.campaigns.language.kinds.record import OneOf, Record
from streams.campaigns.language.problems import MOST_PROBLEMS, Problem, Reader
from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.duration import ALLOWED
from streams.campaigns.language.quantities.rate import Rate
from streams.campaigns.language.tree import tree_of
from tests.campaigns.definitions_drawn import definitions

HOUR, DAY = 3_600_000, 86_400_000
EXAMPLE = """\
campaign: cart-rescue
audience: {lifecycle: [active, repeat], rfm.m: ">=3"}
trigger: {abandoned_cart: {after: 30m, min_value: "99.00"}}
offer: {coupon: {percent: 10, max: "30.00", min_spend: "99.00", scope: cart, valid: 24h}}
limits: {per_customer: 1/7d, budget: "50000.00/day", priority: 50}
delivery: {channels: [app_push, sms], quiet_hours: "22:00-08:00", on_quiet: defer, expires: 6h}
remind: {before_expiry: 3h}
measure: {holdout: 5%, conversion: paid_order, window: 3d}
"""
VALIDATE = fastjsonschema.compile(definition_schema())


def read(text: str) -> CampaignDefinition:
    checked = check_text(text.encode(), "c.yaml")
    assert [each for each in checked.problems if each.severity == "error"] == []
    assert checked.definition is not None
    return checked.definition


def problems(text: str) -> list[Problem]:
    return list(check_text(text.encode(), "c.yaml").problems)


def errors(text: str) -> list[tuple[int, int, str, str]]:
    return [
        (each.place.line, each.place.column, each.path, each.message)
        for each in problems(text)
        if each.severity == "error"
    ]


def with_line(name: str, line: str | None) -> str:
    """The example with another line for a field, or without it."""
    lines = [each for each in EXAMPLE.splitlines() if not each.startswith(f"{name}:")]
    return "\n".join([*lines, *([line] if line else [])]) + "\n"


def test_the_example_is_read_whole() -> None:
    definition = read(EXAMPLE)
    assert definition.audience is not None
    assert msgspec.structs.replace(definition, audience=None) == CampaignDefinition(
        campaign="cart-rescue",
        trigger=AbandonedCart(after=HOUR // 2, min_value=9900),
        offer=Offer(
            coupon=Coupon(
                percent=1000, max=3000, min_spend=9900, scope=("cart",), valid=24 * HOUR
            )
        ),
        limits=Limits(
            per_customer=Rate(1, 7 * DAY), budget=Rate(5_000_000, calendar="day"), priority=50
        ),
        delivery=Delivery(
            channels=("app_push", "sms"), quiet_hours=ClockSpan(1320, 480), on_quiet="defer",
            expires=6 * HOUR,
        ),
        remind=Remind(before_expiry=3 * HOUR),
        measure=Measure(holdout=500, conversion="paid_order", window=3 * DAY),
    )  # fmt: skip


def test_the_example_is_warned_of_three_times_and_no_more() -> None:
    assert [(each.path, each.severity) for each in problems(EXAMPLE)] == [
        ("trigger.abandoned_cart.min_value", "warning"),
        ("limits.budget", "warning"),
        ("delivery.expires", "warning"),
    ]
    assert "between 22:00 and 02:00" in problems(EXAMPLE)[2].message


LEAVES = "a span leaves at least 2 hours, in which customers can be reached"
WRONG = """\
# A campaign with something wrong in every line.
campain: cart rescue
audience: {lifecycel: [active], rfm.m: ">=9"}
trigger:
  abandoned_cart: {aftr: 30m}
offer:
  coupon:
    percent: 0
    valid: forever
limits: {per_customer: 0/7d, priority: 101}
delivery:
  channels: [app_push, pigeon]
  quiet_hours: "08:00-07:00"
measure: {holdout: 60%}
"""


def test_all_problems_of_a_file_are_told_with_line_and_column() -> None:
    assert errors(WRONG) == [
        (2, 1, "campaign", "campaign must be there, as campaign: cart-rescue"),
        (2, 1, "campain", "no field 'campain'; did you mean 'campaign'?"),
        (3, 12, "audience.lifecycel", "no figure 'lifecycel'; did you mean 'lifecycle'?"),
        (3, 40, "audience.rfm.m", "rfm.m is from 1 to 5, so this never holds"),
        (5, 20, "trigger.abandoned_cart.aftr", "no field 'aftr'; did you mean 'after'?"),
        (8, 14, "offer.coupon.percent",
         "'0' is nothing: write a percentage above 0 and up to 100, as 5% or 12.5%"),
        (9, 12, "offer.coupon.valid",
         f"'forever' is no duration: {ALLOWED}"),
        (10, 24, "limits.per_customer",
         "'0/7d' allows nothing: a rate is above 0; to end a campaign, withdraw it"),
        (10, 40, "limits.priority", "'101' is not a whole number from 0 to 100"),
        (12, 24, "delivery.channels[1]",
         "'pigeon' is not known here: there are app_push, sms, email, chat, miniapp"),
        (13, 16, "delivery.quiet_hours",
         "'08:00-07:00' leaves too little of the day: " + LEAVES),
        (14, 20, "measure.holdout", "60% get nothing: at most 50% is allowed"),
    ]  # fmt: skip


A, B = (f"{{name: {each}, share: 50%, message: {{text: Hello}}}}" for each in "ab")
COUPON_3H = 'offer: {coupon: {percent: 10, max: "30.00", valid: 3h}}'


@pytest.mark.parametrize(
    ("name", "line", "path", "said"),
    [
        ("limits", 'limits: {per_customer: 1/7d, budget: "29.99/day"}', "limits.budget",
         "29.99 is less than one coupon, which may cost 30.00"),
        ("offer", "offer: {coupon: {percent: 10, valid: 24h}}", "offer.coupon", "add max"),
        ("offer", "offer: {coupon: {gift: T-1, valid: 24h}}", "offer.coupon", "add cost"),
        ("offer", COUPON_3H, "remind.before_expiry", "has no moment 3h before its end"),
        ("offer", COUPON_3H, "delivery.expires", "a coupon of 3h would be told of up to 6h after"),
        ("offer", "offer: {message: {text: Hello}}", "remind", "no coupon to remind of"),
        ("offer", "offer: {message: {text: Hello}}", "limits.budget", "so budget limits nothing"),
        ("offer", "offer: {}", "offer", "an offer has a coupon"),
        ("offer", "offer: {coupon: {valid: 24h}}", "offer.coupon", "exactly one of percent, amount"),
        ("offer", 'offer: {coupon: {percent: 10, amount: "5.00", valid: 24h}}', "offer.coupon",
         "not percent and amount"),
        ("offer", "offer: {coupon: {percent: 12.5, max: 30, valid: 24h}}", "offer.coupon.percent",
         "whole percent"),
        ("offer", "offer: {coupon: {percent: 100, max: 30, valid: 24h}}", "offer.coupon.percent",
         "from 1% to 99%"),
        ("offer", 'offer: {coupon: {amount: "0.00", valid: 24h}}', "offer.coupon.amount",
         "a coupon of nothing"),
        ("offer", 'offer: {coupon: {amount: "5.00", max: "5.00", valid: 24h}}', "offer.coupon.max",
         "this coupon has amount"),
        ("offer", 'offer: {variants: [{name: a, share: 100%, message: {text: A}}]}', "offer.variants",
         "nothing to be compared with"),
        ("offer", f"offer: {{variants: [{A}, {B.replace('50', '40')}]}}", "offer.variants",
         "90% together, not 100%"),
        ("offer", f"offer: {{variants: [{A}, {A.replace('Hello', 'Hi')}]}}",
         "offer.variants", "names of their own"),
        ("offer", f"offer: {{variants: [{A}, {{name: b, share: 50%}}]}}", "offer.variants[1]",
         "a variant has a coupon, a message, or both"),
        ("delivery", None, "delivery", "delivery must be there"),
        ("trigger", "trigger: {review_posted: {at_least: 3, at_most: 2}}", "trigger.review_posted.at_least",
         "above at_most"),
        ("trigger", "trigger: {abandoned_cart: {}, unpaid: {}}", "trigger", "one trigger, not 2"),
        ("trigger", "trigger: abandoned_carts", "trigger.abandoned_carts", "did you mean 'abandoned_cart'?"),
        ("trigger", "trigger: {abandoned_cart: {after: 4d}}", "trigger.abandoned_cart.after", "at most 3d"),
        ("trigger", None, "trigger", "trigger must be there"),
        ("trigger", "trigger: {lifecycle: {}}", "trigger.lifecycle.to", "to must be there"),
        ("campaign", "campaign: Käse", "campaign", "is not a name of 1 to 32 letters"),
        ("campaign", f"campaign: {'x' * 33}", "campaign", "33 characters: at most 32"),
        ("currency", "currency: CNX", "currency", "'CNX' is not known here; did you mean"),
        ("currency", "currency: JPY", "offer.coupon.max", "more digits after the point than JPY"),
        ("effective_from", "effective_from: 2026-11-01", "effective_from", "a moment with its time zone"),
        ("effective_from", "effective_from: 2026-02-30T00:00:00Z", "effective_from", "a moment with"),
        ("audience", "audience:", "audience", "not nothing"),
        ("limits", "limits: 1/7d", "limits", "not '1/7d'"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(name: str, line: str | None, path: str, said: str) -> None:
    found = [message for _, _, at, message in errors(with_line(name, line)) if at == path]
    assert any(said in message for message in found), errors(with_line(name, line))


@pytest.mark.parametrize(
    ("name", "line", "path", "said"),
    [
        ("trigger", "trigger: birthday", "trigger.birthday", "nothing tells this moment yet"),
        ("trigger", "trigger: {abandoned_cart: {after: 2h}}", "trigger.abandoned_cart.after", "waits 30m"),
        ("trigger", "trigger: {first_visit: {wait: 5m}}", "trigger.first_visit.wait", "needs no waiting"),
        ("audience", 'audience: {cart.value: ">=99.00"}', "audience.cart.value", "unknown for everybody"),
        ("measure", "measure: {window: 1h}", "measure.window", "does not count"),
        ("delivery", "delivery: {channels: sms, on_quiet: drop}", "delivery.on_quiet", "says nothing"),
        ("offer", 'offer: {coupon: {amount: "20.00", min_spend: "10.00", valid: 24h}}',
         "offer.coupon.min_spend", "is more than is spent"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_warned_of(name: str, line: str, path: str, said: str) -> None:
    text = with_line(name, line)
    assert errors(text) == []
    (found,) = [each for each in problems(text) if each.path == path]
    assert found.severity == "warning"
    assert said in found.message


def test_a_set_time_without_an_audience_is_warned_of() -> None:
    trigger = 'trigger: {at: {time: "2026-11-10T20:00:00+08:00", over: 2h}}'
    text = with_line("trigger", trigger)
    assert "trigger.at" not in [each.path for each in problems(text) if "audience" in each.message]
    text = text.replace('audience: {lifecycle: [active, repeat], rfm.m: ">=3"}\n', "")
    assert any("goes to every customer" in each.message for each in problems(text))


def test_quiet_hours_that_drop_need_no_time() -> None:
    text = EXAMPLE.replace("on_quiet: defer", "on_quiet: drop")
    assert "delivery.expires" not in [each.path for each in problems(text)]


def test_a_service_task_alone_needs_no_delivery() -> None:
    read(
        "campaign: call\ntrigger: {review_posted: {at_most: 2}}\nlimits: {per_customer: 1/30d}\n"
        "offer: {service_task: {text: Call, within: 24h}}\n"
    )


def test_the_version_is_of_the_content() -> None:
    version = version_of(read(EXAMPLE))
    lines = EXAMPLE.splitlines()
    assert len(version) == 16
    other_order = "\n".join(["# rescues carts", *reversed(lines)])
    assert version_of(read(other_order)) == version
    other_spelling = (
        EXAMPLE.replace("24h", "1d").replace('"99.00"', "99").replace("percent: 10", "percent: 10%")
        .replace("[active, repeat]", "[repeat, active]").replace('">=3"', '">= 3"')
        .replace("scope: cart", "scope: [cart]").replace(", priority: 50", "")
    )  # fmt: skip
    assert other_spelling != EXAMPLE
    assert version_of(read(other_spelling)) == version
    later = EXAMPLE + "effective_from: 2026-11-01T00:00:00+08:00\n"
    assert version_of(read(later)) == version
    assert canonical(read(later))["effective_from"] == "2026-10-31T16:00:00Z"
    for was, now in (
        ("percent: 10", "percent: 11"), ("cart-rescue", "cart-rescue-2"),
        ("[app_push, sms]", "[sms, app_push]"),
        (">=3", ">3"), ("1/7d", "1/8d"), ("campaign:", "currency: USD\ncampaign:"), ("holdout: 5%, ", ""),
    ):  # fmt: skip
        assert version_of(read(EXAMPLE.replace(was, now))) != version, now


def test_the_version_is_the_same_in_every_build() -> None:
    """It names coupons and decisions that were made: a change of it is a change of what was decided by."""
    assert version_of(read(EXAMPLE)) == "ac27cd52c909d0d5"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(definitions())
def test_what_is_written_is_read_as_it_was(definition: CampaignDefinition) -> None:
    written = canonical(definition)
    reader = Reader(definition.currency)
    assert DEFINITION.read(tree_of(written), "", reader) == definition, reader.problems
    # Through JSON, and through YAML.
    found = read_json(json.loads(json.dumps(written)))
    in_yaml = check_text(yaml.safe_dump(written, allow_unicode=True).encode(), "c.yaml")
    assert in_yaml.definition == found.definition
    assert [each.message for each in in_yaml.problems if each.severity == "error"] == [
        each.message for each in found.problems if each.severity == "error"
    ]
    assert found.definition in (definition, None)
    assert (found.definition is None) == any(each.severity == "error" for each in found.problems)
    VALIDATE(written)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(definitions(), st.randoms())
def test_the_order_of_fields_makes_no_other_version(
    definition: CampaignDefinition, drawing: Any
) -> None:
    reader = Reader(definition.currency)
    again = DEFINITION.read(tree_of(_shuffled(canonical(definition), drawing)), "", reader)
    assert again is not None
    assert version_of(again) == version_of(definition)


def _shuffled(written: Any, drawing: Any) -> Any:
    match written:
        case dict():
            names = list(written)
            drawing.shuffle(names)
            return {name: _shuffled(written[name], drawing) for name in names}
        case list():
            return [_shuffled(each, drawing) for each in written]
    return written


_NAMES = [
    "coupon", "percent", "valid", "per_customer", "all", "any", "not", "count", "sequence", "rfm.m",
    "lifecycle", "profile.tags", "between", "act", "within", "is", "first", "then", "x",
]  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8)
    | st.sampled_from(["30m", ">=3", "1/7d", "active", "22:00-08:00", "abandoned_cart"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([*DEFINITION.fields, *TRIGGERS, *_NAMES]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    found = read_json(value)
    assert (found.definition is None) == any(each.severity == "error" for each in found.problems)
    assert len(found.problems) <= MOST_PROBLEMS


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert check_text(data, "c.yaml").problems


@settings(deadline=None)
@given(
    st.integers(0, len(EXAMPLE)), st.integers(0, 4),
    st.sampled_from([*'\t:{]"!\n\x00\ud7ff茶%@', "", "&a ", "*a ", "? ", "- "]),
)  # fmt: skip
def test_a_slip_of_the_pen_never_raises_and_says_where(at: int, cut: int, put: str) -> None:
    text = EXAMPLE[:at] + put + EXAMPLE[at + cut :]
    checked = check_text(text.encode(), "c.yaml")
    lines = text.splitlines() or [""]
    for problem in checked.problems:
        assert 1 <= problem.place.line <= len(lines) + 1
        assert problem.place.column >= 1
        assert problem.message


def test_many_problems_are_not_all_told() -> None:
    text = "\n".join(f"field{number}: 1" for number in range(500))
    assert len(problems(text)) == MOST_PROBLEMS


def _records(kind: Any, path: str) -> list[tuple[str, Record[Any]]]:
    match kind:
        case OneOf():
            return [
                each for name, of in kind.records.items() for each in _records(of, f"{path}.{name}")
            ]
        case Record():
            inner = [
                each
                for name, one in kind.fields.items()
                for each in _records(
                    getattr(one.field.kind, "of", one.field.kind), f"{path}.{name}"
                )
            ]
            return [(path, kind), *inner]
    return []


@pytest.mark.parametrize(("path", "kind"), _records(DEFINITION, "definition"))
def test_the_example_of_every_field_is_right(path: str, kind: Record[Any]) -> None:
    for name, each in kind.fields.items():
        text = f"{name}: {each.field.example}\n"
        reader = Reader("CNY")
        tree = yaml_tree(text.encode())
        value = each.field.kind.read(tree.entries[0].value, name, reader)  # type: ignore[union-attr]
        assert value is not None, (path, name, reader.problems)
        assert each.field.meaning.endswith((".", "...")), (path, name)
        schema = each.field.kind.schema()
        if "$ref" in json.dumps(schema):
            schema["definitions"] = definition_schema()["definitions"]
        fastjsonschema.validate(schema, yaml.safe_load(text)[name])


def test_every_trigger_says_what_tells_it() -> None:
    for name, trigger in TRIGGERS.items():
        assert bool(trigger.told) != bool(trigger.missing), name
        assert TRIGGER.records[name].struct is trigger


def test_what_is_read_says_where_it_stood() -> None:
    checked = read_definition(tree_of({"campaign": 3}))
    assert all(problem.place.line == 0 for problem in checked.problems)


def test_what_refuses_does_so_though_it_is_told_no_more() -> None:
    reader = Reader()
    for number in range(MOST_PROBLEMS):
        reader.warn_at("", f"warning {number}")
    reader.error_at("", "too late to be told")
    assert len(reader.problems) == MOST_PROBLEMS
    assert reader.has_errors()
