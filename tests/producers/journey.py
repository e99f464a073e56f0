"""The Complete Journey in small: Parquet files as the package has them, of a few baskets made up by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from producers.replay.journey_files import JourneyFiles

Row = Mapping[str, Any]


def bought(
    household: int, basket: int, product: int, at: str, quantity: int = 1, **more: Any
) -> dict[str, Any]:
    """A row of transactions: two dollars, no discount, at store 9; ``at``: UTC."""
    return {
        "household_id": household, "store_id": 9, "basket_id": basket, "product_id": product,
        "quantity": quantity, "sales_value": 2.0, "retail_disc": 0.0, "coupon_disc": 0.0,
        "coupon_match_disc": 0.0, "week": 1, "transaction_timestamp": datetime.fromisoformat(at), **more,
    }  # fmt: skip


def redeemed(household: int, coupon: int, campaign: int, day: str) -> dict[str, Any]:
    """A row of coupon_redemptions."""
    return {
        "household_id": household, "coupon_upc": coupon, "campaign_id": campaign,
        "redemption_date": datetime.fromisoformat(day),
    }  # fmt: skip


def lived(household: int, **more: str) -> dict[str, Any]:
    """A row of demographics."""
    names = (
        "age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count",
    )  # fmt: skip
    return {"household_id": household, **dict.fromkeys(names), **more}


def write_journey(
    folder: Path,
    transactions: Sequence[Row],
    redemptions: Sequence[Row] = (),
    demographics: Sequence[Row] = (),
) -> JourneyFiles:
    """The files in ``folder``. Products 1 and 2 have a category, campaign 3 is of type A."""
    moment = pa.timestamp("ns")
    counts = (("household_id", pa.int64()), ("coupon_upc", pa.int64()), ("campaign_id", pa.int64()))
    schemas = {
        "coupon_redemptions": pa.schema([*counts, ("redemption_date", moment)]),
        "demographics": pa.schema(
            [("household_id", pa.int64()), *((name, pa.string()) for name in list(lived(1))[1:])]
        ),
    }
    tables: dict[str, Sequence[Row]] = {
        "transactions": transactions,
        "coupon_redemptions": redemptions,
        "demographics": demographics,
        "products": [
            {"product_id": 1, "product_category": "APPLES"},
            {"product_id": 2, "product_category": "TEA"},
            {"product_id": 3, "product_category": None},
        ],
        "campaign_descriptions": [{"campaign_id": 3, "campaign_type": "Type A"}],
    }
    for name, rows in tables.items():
        pq.write_table(
            pa.Table.from_pylist([*rows], schema=schemas.get(name)), folder / f"{name}.parquet"
        )
    return JourneyFiles(folder)
