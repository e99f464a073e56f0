"""The query store: whether it is there, of this build, and how far it is behind."""

from collections.abc import Iterator
from typing import Final

from streams.doctor.finding import Finding, failure, ok, unknown, warning
from streams.settings import Settings

#: Records that it may be behind without a word: a second of a busy shop.
_BEHIND: Final = 10_000


def check_store(settings: Settings, *, kafka_answers: bool) -> Iterator[Finding]:
    """``kafka_answers``: else how far it is behind is not asked for."""
    try:
        from sqlalchemy.exc import SQLAlchemyError

        from streams.query.connecting import Database, store_url
        from streams.query.errors import StoreDoubt, StoreRefused
        from streams.query.failures import said
        from streams.query.freshness import freshness, held
        from streams.query.migrating import require_current
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("streams"):
            raise
        yield unknown(
            "store", f"without {error.name} it cannot be asked: pip install 'huitou[query]'"
        )
        return
    try:
        database = Database(store_url(settings))
    except (ValueError, ModuleNotFoundError) as error:
        yield failure("store", str(error), "correct HUITOU_QUERY_STORE")
        return
    try:
        require_current(database)
        with database.reading() as connection:
            stored = held(connection, settings)
    except StoreRefused as error:
        status = warning if "there is no query store" in str(error) else failure
        yield status("store", str(error), "start `huitou sink` of this build")
        return
    except (StoreDoubt, SQLAlchemyError) as error:
        words = said(error) if isinstance(error, SQLAlchemyError) else str(error)
        yield failure(
            "store", f"{database.name}: {words}", "start it, or correct HUITOU_QUERY_STORE"
        )
        return
    finally:
        database.close()
    yield ok("store", f"{database.name} has the tables of this build")
    if not kafka_answers:
        yield unknown("store.freshness", "Kafka does not answer")
        return
    fresh = freshness(stored, settings)
    if fresh.behind is None:
        yield unknown("store.freshness", fresh.sentence())
    elif fresh.behind > _BEHIND:
        yield warning("store.freshness", fresh.sentence(), "look whether `huitou sink` runs")
    else:
        yield ok("store.freshness", fresh.sentence())
