"""`huitou segments`: a shop's customers by their scores, and thresholds from the population."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table

from streams.cli.counted import Counted
from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE, said_errors
from streams.cli.options import require_text
from streams.cli.printable import plain_console, printable
from streams.domain.moments import moment
from streams.domain.shop import ShopSettings

if TYPE_CHECKING:
    from schemas.settings import RfmThresholds
    from schemas.settings import Settings as Version
    from streams.definitions import Definitions
    from streams.segments.recalibration import Changes
    from streams.segments.spool import Spool

segments_app = typer.Typer(
    help="A shop's customers by their scores (RFM), and thresholds that divide them into fifths.",
    no_args_is_help=True,
    add_completion=False,
)

SEGMENTS = (
    "champions", "loyal", "potential", "new", "at_risk", "hibernating", "lost", "unscored", "unknown",
)  # fmt: skip
STAGES = ("visitor", "new", "lost", "dormant", "won_back", "repeat", "active", "unknown")

Shop = Annotated[str, typer.Option(help="The shop.")]


@segments_app.command()
def export(
    shop: Shop,
    segment: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(SEGMENTS)}. May be repeated.")
    ] = None,
    lifecycle: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(STAGES)}. May be repeated.")
    ] = None,
    tier: Annotated[
        list[str] | None, typer.Option(help="Only these, or none, or unknown. May be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="This file, whole or not at all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A line a customer, with a header; this is the default.")
    ] = False,
) -> None:
    """Write the shop's customers with their scores, segment, stage, tier and net paid, by customer id.

    All are judged as of one moment, the newest that a partition's clock has reached, which each row says;
    a customer's state is what it is when it is read, while workers go on. Amounts are minor units; what is
    not known is empty (null in JSON). Counts by segment go to standard error. Memory stays bounded: the
    customers are on disk meanwhile, about 200 bytes each.

    Exit codes: 0; 2 wrong use; 70 Redis or Kafka does not answer; 78 a state cannot be read.

    \b
    huitou segments export --shop tea --out customers.csv
    huitou segments export --shop tea --segment at_risk --segment lost --json
    huitou segments export --shop tea --lifecycle dormant --tier gold --csv
    """  # fmt: skip
    command = "segments export"
    require_text(command, shop=shop)
    _require_known(command, "--segment", segment, SEGMENTS)
    _require_known(command, "--lifecycle", lifecycle, STAGES)
    if as_json and as_csv:
        _fail(command, "--json and --csv are two forms of one list: take one", EXIT_USAGE)
    from streams.segments.export import Wanted, whole_file, write

    wanted = Wanted(frozenset(segment or ()), frozenset(lifecycle or ()), frozenset(tier or ()))
    with said_errors(command), _filled(command, shop) as (spool, held, as_of):
        constants = {
            "shop_id": shop, "as_of": moment(as_of) or "", "currency": held.currency,
        }  # fmt: skip
        form: Any = "json" if as_json else "csv"
        try:
            if out is not None:
                with whole_file(out) as file:
                    done = write(file, spool, wanted, constants, form)
            else:
                # A terminal must not do what a customer's id says; a pipe gets what is there.
                cell = printable if sys.stdout.isatty() else str
                done = write(sys.stdout, spool, wanted, constants, form, cell)
                sys.stdout.flush()
        except BrokenPipeError:
            # The reader at the other end of a pipe (head) has enough.
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:
            _fail(command, f"{out or 'standard output'}: {error.strerror}", EXIT_DOUBT)
    counts = ", ".join(f"{name} {done.written[name]:,}" for name in SEGMENTS if done.written[name])
    typer.echo(
        f"{done.written.total():,} of {done.customers:,} customers as of {constants['as_of']}"
        + (f": {counts}" if counts else ""),
        err=True,
    )


@segments_app.command()
def recalibrate(
    shop: Shop,
    effective_from: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When they begin to hold, on the shop's clock unless it names an offset; default: as soon "
            "as every worker can have read them (HUITOU_APPLY_AHEAD).",
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write them as a version of the shop's settings.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Show the thresholds of R, F and M that divide the shop's customers into fifths, and who would change.

    The customers with orders count, as they are now. Equal values have equal scores, so fifths are not of
    one size where many share a value; where several fifths end at one value, the limits go on rising by
    one. With --apply they become a version of the shop's settings, which has the rest from the version
    before; when they are in force already, nothing is written.

    Exit codes: 0; 1 refused by the settings' own rules; 2 wrong use; 70 Redis or Kafka does not answer;
    78 too few customers, or a version is waiting to take effect.

    \b
    huitou segments recalibrate --shop tea
    huitou segments recalibrate --shop tea --apply
    huitou segments recalibrate --shop tea --effective-from 2026-12-01 --apply --json
    """  # fmt: skip
    command = "segments recalibrate"
    require_text(command, shop=shop, effective_from=effective_from)
    from streams.segments.recalibration import TooFew, changes, recalibrated

    with said_errors(command), _filled(command, shop) as (spool, held, as_of):
        since = _instant(effective_from, held)
        try:
            new = recalibrated(spool)
        except TooFew as error:
            _fail(command, str(error), EXIT_REFUSED)
        found = changes(spool, new)
    written = _apply(command, shop, new, since) if apply else []
    if as_json:
        typer.echo(json.dumps(_as_dict(shop, as_of, held.rfm, new, found, written)))
        return
    _print(shop, as_of, held.rfm, new, found)
    if not apply:
        same = "They are in force." if held.rfm == new else "Nothing was written (--apply)."
        typer.echo(same)
    for version in written:
        said = version.effective_from.isoformat()
        typer.echo(f"{shop}: version {version.version} from {said}")
    if apply and not written:
        typer.echo("They are the shop's already: nothing was written.")


@contextmanager
def _filled(command: str, shop: str) -> "Iterator[tuple[Spool, ShopSettings, int]]":
    """The shop's customers, its settings and the moment that they are judged as of (ms)."""
    from streams.cli.shops import Shops
    from streams.segments.reading import fill, moment_of
    from streams.segments.spool import Spool
    from streams.settings import Settings
    from streams.state.connection import connect

    settings = Settings()
    with connect(settings.redis_url) as redis, Spool() as spool:
        as_of = moment_of(redis, settings)
        held = Shops(settings, command).settings_of(shop, as_of)
        if held is None:
            _fail(command, "what the shop has settled is not known: start Kafka", EXIT_DOUBT)
        with Counted("customers read") as shown:
            fill(spool, redis, settings, held, as_of, shown.at)
        yield spool, held, as_of


def _apply(
    command: str, shop: str, new: "RfmThresholds", since: datetime | None
) -> "list[Version]":
    """Write ``new`` as a version that holds from ``since`` on; nothing where it is in force then."""
    from streams.cli.settings import planned, reading, write
    from streams.definition_checks import BadDefinitionError
    from streams.settings import Settings

    settings = Settings()
    with reading(settings) as reader:
        definitions, now = reader.read_to_end(), datetime.now(UTC)
        try:
            given = _versions(definitions, shop, new, since)
            versions = planned(given, definitions, now, settings.apply_ahead)
        except BadDefinitionError as error:
            _fail(command, f"{error}; nothing was written", 1)
        if not versions:
            return []
        last = versions[-1]
        before = definitions.versions(shop)
        if len(before) > 1 and before[-1].effective_from > last.effective_from:
            _fail(
                command,
                f"version {before[-1].version} of {shop} takes effect at "
                f"{before[-1].effective_from.isoformat()}, and one before it would end it: give that moment "
                "or a later one (--effective-from); nothing was written",
                EXIT_REFUSED,
            )
        write(settings, reader, versions, now)
    return versions


def _versions(
    definitions: "Definitions", shop: str, new: "RfmThresholds", since: datetime | None
) -> list[dict[str, Any]]:
    """What to apply: nothing where the newest version has these thresholds."""
    import msgspec

    before = definitions.versions(shop)
    # Of the newest version, which may not have begun: what is written now comes after it.
    forever = 1 << 52
    if definitions.at(shop, forever).rfm == new:
        return []
    kept = {} if not before else msgspec.to_builtins(before[-1])
    kept = {
        name: value for name, value in kept.items() if name not in ("version", "effective_from")
    }
    version = {**kept, "shop_id": shop, "rfm": msgspec.to_builtins(new)}
    if since is not None:
        version["effective_from"] = since.isoformat(timespec="milliseconds")
    # A shop's first version holds since ever, which would judge the past anew: one that says nothing first.
    return [version] if before else [{"shop_id": shop}, version]


def _instant(text: str | None, held: ShopSettings) -> datetime | None:
    """Raises ValueError for what is no time."""
    from streams.query.wording import instant

    if text is None:
        return None
    return datetime.fromtimestamp(instant(text, held.time_zone) / 1000, UTC)


def _limits(rfm: "RfmThresholds") -> dict[str, list[int]]:
    return {name: list(getattr(rfm, name)) for name in rfm.__struct_fields__}


def _as_dict(
    shop: str,
    as_of: int,
    old: "RfmThresholds",
    new: "RfmThresholds",
    found: "Changes",
    written: "list[Version]",
) -> dict[str, Any]:
    return {
        "shop": shop,
        "as_of": moment(as_of),
        "customers": found.customers,
        "scored": found.scored,
        "old": _limits(old),
        "new": _limits(new),
        "changed": {"r": found.r, "f": found.f, "m": found.m, "segment": found.segment},
        "segments": {
            name: {"before": found.before[name], "after": found.after[name]} for name in SEGMENTS
        },
        "written": [
            {"version": one.version, "effective_from": one.effective_from.isoformat()}
            for one in written
        ],
    }


def _print(
    shop: str, as_of: int, old: "RfmThresholds", new: "RfmThresholds", found: "Changes"
) -> None:
    console = plain_console()
    console.print(
        f"shop {printable(shop)} as of {moment(as_of)}: {found.scored:,} of {found.customers:,} customers "
        "have orders",
        style="bold",
    )
    limits = Table("thresholds", "old", "new", "customers with another score")
    for name, changed in (("recency_days", found.r), ("orders", found.f), ("amount", found.m)):
        shown = ("/".join(f"{limit:,}" for limit in getattr(rfm, name)) for rfm in (old, new))
        limits.add_row(name, *shown, f"{changed:,}")
    console.print(limits)
    console.print(_segments(found.before, found.after))
    console.print(f"{found.segment:,} customers would be in another segment.")


def _segments(before: Mapping[str, int], after: Mapping[str, int]) -> Table:
    table = Table("segment", "old", "new")
    for name in SEGMENTS:
        if before[name] or after[name]:
            table.add_row(name, f"{before[name]:,}", f"{after[name]:,}")
    return table


def _require_known(
    command: str, option: str, given: list[str] | None, known: tuple[str, ...]
) -> None:
    for name in given or ():
        if name not in known:
            _fail(command, f"no {option} {name!r}; there are {', '.join(known)}", EXIT_USAGE)


def _fail(command: str, message: str, code: int) -> NoReturn:
    typer.echo(f"huitou {command}: {message}", err=True)
    raise typer.Exit(code)
