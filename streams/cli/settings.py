"""`huitou settings`: writes shops' definitions, and shows those in force."""

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import msgspec
import typer
from confluent_kafka import KafkaException, Producer

from schemas.catalogue import SETTINGS
from schemas.settings import Brushing, Contacting, Liking, ReviewTheme, SettingsEvent
from schemas.settings import Settings as Version
from streams.cli.printable import printable
from streams.definition_checks import BadDefinitionError, check_version
from streams.definitions import Definitions, DefinitionsError
from streams.definitions_reader import DefinitionsReader
from streams.domain.shop import ShopSettings
from streams.domain.themes import DEFAULT_THEMES
from streams.operations.logging import configure
from streams.settings import Settings

settings_app = typer.Typer(
    help="Shops' definitions: time zone, currency, RFM thresholds and tiers of a shop, lateness of "
    "the stack (_stack).",
    no_args_is_help=True,
    add_completion=False,
)

REFUSED: Final = 1
UNREACHABLE: Final = 2
_DELIVERY_SECONDS: Final = 30.0

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@settings_app.command()
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="A JSON object or a list of them, each with shop_id and what is to hold: time_zone, "
            "currency, rfm, tiers, brushing, category, review_themes, liking, contacting, lateness_s. What "
            "is not said is the stack's or the default. version and effective_from may be left out. - is "
            "standard input."
        ),
    ],
) -> None:
    """Write new versions. A shop's first holds since ever; a later one must take effect at least
    HUITOU_APPLY_AHEAD seconds (60) from now, so that every worker has read it by then.

    Thresholds and tiers of a shop, amounts in minor units (fen), the lowest tier first:

    echo '{"shop_id": "tea", "rfm": {"recency_days": [30, 60, 90, 180], "orders": [2, 3, 5, 10],
    "amount": [10000, 30000, 100000, 300000]}, "tiers": [{"name": "silver", "orders": 2},
    {"name": "gold", "orders": 6, "amount": 200000}]}' | huitou settings apply -

    What all campaigns of a shop together may do: contacts a day by channel, minutes of rest between two, and
    of 10,000 customers so many who get nothing, to compare with:

    echo '{"shop_id": "tea", "contacting": {"per_day": {"sms": 1}, "rest_minutes": 120, "holdout": 200}}' |
    huitou settings apply -

    Themes of a shop's reviews, by which `huitou report reviews --by theme` counts; the list is whole, and
    takes the place of the built-in one:

    echo '{"shop_id": "tea", "review_themes": [{"name": "taste", "words": ["好喝", "bitter"]}]}' |
    huitou settings apply -
    """
    settings = Settings()
    with reading(settings) as reader:
        now = datetime.now(UTC)
        try:
            versions = planned(given_in(file), reader.read_to_end(), now, settings.apply_ahead)
        except BadDefinitionError as error:
            _fail(f"{file}: {error}; nothing was written", REFUSED)
        write(settings, reader, versions, now)
    for version in versions:
        moment = version.effective_from.isoformat()
        typer.echo(f"{version.shop_id}: version {version.version} from {moment}")


@settings_app.command()
def show(
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    as_json: Json = False,
) -> None:
    """Show every version, and what holds now for each shop."""
    settings = Settings()
    with reading(settings) as reader:
        definitions, bad = reader.read_to_end(), reader.bad_records
    now_ms = int(time.time() * 1000)
    shops = definitions.shops() if shop is None else [shop]
    report = {
        one: {
            "now": msgspec.to_builtins(definitions.at(one, now_ms)),
            "versions": [msgspec.to_builtins(v) for v in definitions.versions(one)],
        }
        for one in shops
    }
    if as_json:
        document = {"shops": report, "bad_records": bad, "digest": definitions.digest()}
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for one, said in report.items():
        typer.echo(f"{one}: " + "\n  ".join(_lines(definitions.at(one, now_ms))))
        typer.echo(f"  review_themes: {_themes(definitions.review_themes(one))}")
        for version in said["versions"]:
            typer.echo("  " + json.dumps(version, ensure_ascii=False))
    if not shops:
        typer.echo("No definitions: every shop has the defaults.")
    if bad:
        typer.echo(f"{bad} bad records ignored; the worker's log names them", err=True)


def _lines(shop: ShopSettings) -> list[str]:
    """What holds for a shop, as people read it; amounts are minor units, as they are written."""

    def listed(limits: tuple[int, ...]) -> str:
        return "/".join(map(str, limits))

    rfm = shop.rfm
    tiers = [f"{tier.name} ({tier.orders} orders, {tier.amount})" for tier in shop.tiers]
    return [
        f"time_zone {shop.time_zone}, currency {shop.currency}",
        "rfm: "
        + ", ".join(f"{name} {listed(getattr(rfm, name))}" for name in rfm.__struct_fields__),
        f"tiers: {', '.join(tiers) or 'none'}",
        f"brushing: {_points(shop.brushing, 'no order is judged')}",
        f"category: {shop.category or 'none'}",
        f"liking: {_points(shop.liking, 'no like is judged')}",
        f"contacting: {_limits(shop.contacting)}",
    ]


def _themes(themes: tuple[ReviewTheme, ...] | None) -> str:
    """The list by which reports go, the newest, whenever it takes effect."""
    if themes is None:
        return "the built-in list: " + ", ".join(theme.name for theme in DEFAULT_THEMES)
    return (
        ", ".join(f"{printable(theme.name)} ({len(theme.words)} words)" for theme in themes)
        or "none"
    )


def _limits(said: Contacting) -> str:
    limits = [f"{most} a day by {channel}" for channel, most in said.per_day.items()]
    if said.rest_minutes:
        limits.append(f"{said.rest_minutes} min of rest")
    if said.holdout:
        limits.append(f"{said.holdout / 100:g} % held out")
    return ", ".join(limits) or "no limits"


def _points(judging: Brushing | Liking | None, nothing: str) -> str:
    """The points of each sign, the verdict's first; ``nothing``: what is said where none are given."""
    if judging is None:
        return nothing
    names = [name for name in judging.__struct_fields__ if name.endswith("_points")]
    names.sort(key=lambda name: name != "verdict_points")
    return ", ".join(
        f"{name if name == 'verdict_points' else name.removesuffix('_points')} {getattr(judging, name)}"
        for name in names
    )


@contextmanager
def reading(settings: Settings) -> Iterator[DefinitionsReader]:
    """A reader of the definitions; ends the command where Kafka does not answer."""
    configure("warning")
    reader = DefinitionsReader(settings, campaigns=False)
    try:
        reader.start()
        yield reader
    except DefinitionsError as error:
        _fail(str(error), UNREACHABLE)
    finally:
        reader.stop()


def given_in(file: Path) -> list[dict[str, Any]]:
    """The objects in the file. Raises BadDefinitionError."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise BadDefinitionError(str(error)) from None
    objects = given if isinstance(given, list) else [given]
    if not objects or not all(isinstance(one, dict) for one in objects):
        raise BadDefinitionError("not an object or a list of objects")
    unknown = {name for one in objects for name in one} - set(Version.__struct_fields__)
    if unknown:
        raise BadDefinitionError(f"unknown fields {', '.join(sorted(unknown))}")
    return objects


def planned(
    given: list[dict[str, Any]], definitions: Definitions, now: datetime, apply_ahead: float
) -> list[Version]:
    """What to write: all of it is checked before any of it is written. Raises BadDefinitionError."""
    newest = {shop_id: definitions.versions(shop_id)[-1] for shop_id in definitions.shops()}
    planned = []
    for one in given:
        before = newest.get(str(one.get("shop_id")))
        earliest = now + timedelta(seconds=apply_ahead if before else 0)
        filled = {
            "version": before.version + 1 if before else 1,
            "effective_from": earliest.isoformat(timespec="milliseconds"),
            **one,
        }
        try:
            version = msgspec.convert(filled, Version)
        except msgspec.ValidationError as error:
            raise BadDefinitionError(str(error)) from None
        check_version(version, before)
        # What was filled in is cut to the millisecond, which must not make it too early.
        if before and "effective_from" in one and version.effective_from < earliest:
            raise BadDefinitionError(
                f"effective_from of version {version.version} of {version.shop_id} must be at least "
                f"{apply_ahead:g} s from now ({earliest.isoformat(timespec='seconds')} or later): "
                "workers that have not read it by then would fold by the old one"
            )
        newest[version.shop_id] = version
        planned.append(version)
    return planned


def write(
    settings: Settings, reader: DefinitionsReader, versions: list[Version], now: datetime
) -> None:
    """Write the versions in order and read them back; ends the command where one does not count."""
    _produce(settings, versions, now)
    after = reader.read_to_end()
    for version in versions:
        if version not in after.versions(version.shop_id):
            _fail(
                f"version {version.version} of {version.shop_id} lost against one that somebody "
                "wrote at the same time: look at `huitou settings show`",
                REFUSED,
            )


def _produce(settings: Settings, versions: list[Version], now: datetime) -> None:
    """Write the versions in order and wait for the broker's word. Fails the command."""
    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": int(_DELIVERY_SECONDS * 1000),
        }
    )
    for version in versions:
        named = f"{version.shop_id}/{version.version}".encode()
        event = SettingsEvent(
            specversion="1.0",
            id=hashlib.blake2b(named, digest_size=16).hexdigest(),
            source="huitou settings",
            subject=version.shop_id,
            time=now,
            data=version,
        )
        producer.produce(
            settings.topic_prefix + SETTINGS,
            key=version.shop_id.encode(),
            value=msgspec.json.encode(event),
            partition=0,
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
    try:
        left = producer.flush(_DELIVERY_SECONDS)
    except KafkaException as error:
        _fail(str(error.args[0]), UNREACHABLE)
    if left or failures:
        _fail(f"not written: {failures[0] if failures else 'no answer'}", UNREACHABLE)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"huitou settings: {message}", err=True)
    raise typer.Exit(code)
