"""Asks the query store what it knows of a customer; without it the page is shown all the same."""

from typing import Any

import typer

from streams.query.known import Known
from streams.settings import Settings


def asked(
    settings: Settings, store: str | None, described: list[dict[str, Any]]
) -> list[Known | None]:
    """What the store knows of each of the customers ``described``; None, and one line on standard error
    that says why, where it cannot be asked.
    """
    try:
        from sqlalchemy.exc import SQLAlchemyError

        from streams.query.connecting import Database, store_url
        from streams.query.errors import StoreDoubt, StoreRefused
        from streams.query.failures import said
        from streams.query.migrating import require_current
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("streams"):
            raise
        return _without(
            f"the query store needs {error.name}: pip install 'huitou[query]'", described
        )
    try:
        database = Database(store_url(settings, store))
    except (ValueError, ModuleNotFoundError) as error:
        return _without(str(error), described)
    try:
        require_current(database)
        with database.reading() as connection:
            return [_known(connection, one) for one in described]
    except (StoreRefused, StoreDoubt) as error:
        return _without(str(error), described)
    except SQLAlchemyError as error:
        return _without(f"{database.name}: {said(error)}", described)
    finally:
        database.close()


def _known(connection: Any, described: dict[str, Any]) -> Known:
    from streams.query.facts import storable
    from streams.query.portrait import late_refunds, order_channels, responses
    from streams.query.products import product_names
    from streams.query.wording import instant

    shop, customer = described["shop_id"], storable(described["customer_id"])
    until = {
        each["trigger_id"]: instant(each["valid_until"], None) for each in described["coupons"]
    }
    return Known(
        names=product_names(connection, shop, _skus(described)),
        channels=order_channels(connection, shop, customer),
        responses=responses(connection, shop, customer, until),
        late=late_refunds(
            connection,
            shop,
            [customer, *(storable(each["visitor"]) for each in described["identity"]["aliases"])],
            described["orders"]["unmatched_refunds"],
        ),
    )


def _skus(described: dict[str, Any]) -> set[str]:
    """Every product that the description names."""
    found: set[str] = set()
    waiting: list[Any] = [described]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            sku = part.get("sku")
            if isinstance(sku, str):
                found.add(sku)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _without(reason: str, described: list[dict[str, Any]]) -> list[Known | None]:
    typer.echo(
        f"huitou customer: shown without product names and what came of offers: {reason}", err=True
    )
    return [None] * len(described)
