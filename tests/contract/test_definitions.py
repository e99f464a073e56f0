"""Shops' versions over time, and which records become one."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import STACK, Brushing, Contacting, Liking, ReviewTheme, RfmThresholds, Tier
from schemas.settings import Settings as Version
from streams.definition_checks import BadDefinitionError
from streams.definitions import Definitions, accept
from streams.domain.shop import DEFAULT_RFM, ShopSettings
from tests.contract.versions import JANUARY, JUNE, JUNE_MS, record, version


def test_a_shop_never_heard_of_has_the_defaults() -> None:
    assert Definitions().at("tea", 0) == ShopSettings("tea", "UTC", "CNY")
    assert Definitions().lateness_ms is None


def test_the_first_version_holds_since_ever_and_later_ones_from_their_moment() -> None:
    read = Definitions(
        [
            version("tea", 1, JUNE, time_zone="Asia/Shanghai"),
            version("tea", 2, JUNE, time_zone="Asia/Tokyo", currency="JPY"),
        ]
    )
    assert read.at("tea", 0) == ShopSettings("tea", "Asia/Shanghai", "CNY")
    assert read.at("tea", JUNE_MS - 1) == ShopSettings("tea", "Asia/Shanghai", "CNY")
    assert read.at("tea", JUNE_MS) == ShopSettings("tea", "Asia/Tokyo", "JPY")


def test_a_newer_version_may_hold_from_before_an_older_one() -> None:
    read = Definitions(
        [
            version("tea", 1, currency="AAA"),
            version("tea", 2, JUNE, currency="BBB"),
            version("tea", 3, JUNE - timedelta(days=1), currency="CCC"),
        ]
    )
    assert read.at("tea", JUNE_MS - 86_400_001).currency == "AAA"
    assert read.at("tea", JUNE_MS - 86_400_000).currency == "CCC"
    assert read.at("tea", JUNE_MS).currency == "CCC"


def test_the_stacks_record_is_every_shops_default_at_its_own_moments() -> None:
    read = Definitions(
        [
            version(STACK, 1, time_zone="Asia/Shanghai", currency="CNY", lateness_s=2.5),
            version("tea", 1, currency="EUR"),
            version(STACK, 2, JUNE, time_zone="Europe/Berlin", lateness_s=0),
        ]
    )
    assert read.at("tea", 0) == ShopSettings("tea", "Asia/Shanghai", "EUR")
    assert read.at("tea", JUNE_MS) == ShopSettings("tea", "Europe/Berlin", "EUR")
    assert read.at("other", JUNE_MS) == ShopSettings("other", "Europe/Berlin", "CNY")
    assert read.lateness_ms == 0
    assert read.shops() == [STACK, "tea"]


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from([STACK, "tea", "coffee"]),
        st.integers(0, 5),
        st.sampled_from([None, "Asia/Tokyo", "UTC"]),
        st.sampled_from([None, "EUR", "USD"]),
    ),
    max_size=12,
)


@given(VERSIONS, st.integers(-1, 6))
def test_at_agrees_with_the_definition_spelled_out(
    plan: list[tuple[str, int, str | None, str | None]], day: int
) -> None:
    versions: list[Version] = []
    for shop, since, zone, currency in plan:
        number = 1 + sum(1 for v in versions if v.shop_id == shop)
        moment = JANUARY + timedelta(days=since)
        versions.append(version(shop, number, moment, time_zone=zone, currency=currency))
    at = JANUARY + timedelta(days=day)

    def in_force(shop: str) -> Version | None:
        own = [v for v in versions if v.shop_id == shop]
        holding = [v for v in own if v.version == 1 or v.effective_from <= at]
        return max(holding, key=lambda v: v.version, default=None)

    expected = {"time_zone": "UTC", "currency": "CNY"}
    for holder in (in_force(STACK), in_force("tea")):
        for name in expected:
            if holder is not None and getattr(holder, name) is not None:
                expected[name] = getattr(holder, name)
    found = Definitions(versions).at("tea", int(at.timestamp() * 1000))
    assert found == ShopSettings("tea", **expected)


def test_the_digest_names_the_content_in_every_process() -> None:
    versions = [version(STACK, 1, lateness_s=2.5), version("tea", 1, time_zone="Asia/Tokyo")]
    digest = Definitions(versions).digest()
    assert digest == Definitions(reversed(versions), {"shop.settings": 9}).digest()
    assert digest != Definitions(versions[:1]).digest()
    assert digest != Definitions([versions[0], version("tea", 1, time_zone="UTC")]).digest()
    assert (
        digest
        != Definitions([versions[0], version("tea", 1, JUNE, time_zone="Asia/Tokyo")]).digest()
    )
    code = (
        "from schemas.settings import STACK;"
        "from streams.definitions import Definitions;"
        "from tests.contract.versions import version;"
        "print(Definitions([version(STACK, 1, lateness_s=2.5),"
        " version('tea', 1, time_zone='Asia/Tokyo')]).digest())"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert done.stdout.strip() == digest


RFM = RfmThresholds(recency_days=(1, 2, 3, 4), orders=(1, 2, 3, 4), amount=(1, 2, 3, 4))
#: A value of each field of a version that is not its default, and another one.
VALUES: dict[str, tuple[object, object]] = {
    "time_zone": ("Asia/Tokyo", "UTC"),
    "currency": ("EUR", "USD"),
    "lateness_s": (1.0, 2.0),
    "rfm": (RFM, RfmThresholds(recency_days=(1, 2, 3, 5), orders=RFM.orders, amount=RFM.amount)),
    "tiers": ((Tier(name="a"),), (Tier(name="a", amount=1),)),
    "brushing": (Brushing(), Brushing(verdict_points=80)),
    "review_themes": ((), (ReviewTheme(name="taste", words=("bitter",)),)),
    "category": ("tea", "cups"),
    "liking": (Liking(), Liking(verdict_points=80)),
    "contacting": (Contacting(rest_minutes=1), Contacting(per_day={"sms": 2})),
}


def test_the_digest_covers_every_field_of_a_version() -> None:
    named = {"shop_id", "version", "effective_from"}
    assert VALUES.keys() == set(Version.__struct_fields__) - named
    for name, (one, other) in VALUES.items():
        digests = {
            Definitions([version(STACK, 1, **said)]).digest()
            for said in ({}, {name: one}, {name: other})
        }
        assert len(digests) == 3, name


def test_the_newest_list_of_themes_counts_whenever_it_takes_effect() -> None:
    taste, smell = (ReviewTheme(name=name, words=("a",)) for name in ("taste", "smell"))
    read = Definitions(
        [
            version(STACK, 1, review_themes=(taste,)),
            version("tea", 1), version("tea", 2, JUNE, review_themes=(smell,)), version("tea", 3, JUNE),
            version("ink", 1, review_themes=()),
        ]
    )  # fmt: skip
    assert read.review_themes("tea") == (smell,)
    assert read.review_themes("ink") == ()
    assert read.review_themes("unheard-of") == (taste,)
    assert Definitions([version("tea", 1)]).review_themes("tea") is None


def test_thresholds_and_tiers_hold_from_their_moment_as_all_else() -> None:
    gold = (Tier(name="gold", orders=1),)
    read = Definitions(
        [
            version(STACK, 1, tiers=gold),
            version("tea", 1),
            version("tea", 2, JUNE, rfm=RFM, tiers=()),
        ]
    )
    before, after = read.at("tea", JUNE_MS - 1), read.at("tea", JUNE_MS)
    assert (before.rfm, before.tiers) == (DEFAULT_RFM, gold)
    assert (after.rfm, after.tiers) == (RFM, ())
    whole = record(version("tea", 1, rfm=RFM, tiers=gold))
    assert accept(b"tea", whole, {}) == version("tea", 1, rfm=RFM, tiers=gold)
    with pytest.raises(BadDefinitionError, match=r"rfm\.orders must rise"):
        accept(b"tea", whole.replace(b'"orders":[1,2,3,4]', b'"orders":[1,1,3,4]'), {})


TEA_1 = version("tea", 1, time_zone="Asia/Tokyo")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"tea", None, "no value"),
        (None, record(TEA_1), "no key"),
        (b"tea", b"{", "not_json"),
        (b"tea", b"[" * 60_000, "invalid_value"),
        (b"tea", b" " * 65_537, "at most 65536"),
        (b"tea", record(TEA_1).replace(b"shop.settings.v1", b"shop.click.v1"), "wrong_type"),
        (b"tea", record(TEA_1).replace(b'"version":1', b'"version":0'), "invalid_value"),
        (b"coffee", record(TEA_1), "must be the same shop id"),
        (b"coffee", record(TEA_1, subject="coffee"), "must be the same shop id"),
        (b"tea", record(version("tea", 1, time_zone="Asia/Nowhere")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="../../etc/passwd")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="America")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="\0")), "no time zone"),
        (b"tea", record(version("tea", 1, lateness_s=1.0)), "only _stack"),
    ],
)
def test_a_bad_definition_is_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    with pytest.raises(BadDefinitionError, match=reason):
        accept(key, value, {})


def test_versions_rise_and_a_repeated_record_is_nothing_new() -> None:
    newest = {"tea": version("tea", 3, currency="EUR")}
    assert accept(b"tea", record(newest["tea"]), newest) is None
    assert accept(b"tea", record(version("tea", 4)), newest) == version("tea", 4)
    for stale in (version("tea", 3, currency="USD"), version("tea", 2)):
        with pytest.raises(BadDefinitionError, match="does not follow 3"):
            accept(b"tea", record(stale), newest)
