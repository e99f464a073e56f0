"""Brings a store's tables to what this build knows, one process at a time; refuses a newer store."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from streams.query.connecting import Database
from streams.query.errors import StoreRefused

#: The table in which the store's version stands.
VERSION_TABLE: Final = "schema_version"
_FOLDER: Final = Path(__file__).with_name("migrations")


def bring_up(database: Database, version: str = "head") -> None:
    """Apply the migrations that the store lacks, up to ``version``, in one transaction of a writer.

    Blocks while another process does the same. Raises StoreRefused for a store that a newer build has made,
    and where its file cannot be.
    """
    if database.file is not None:
        try:
            database.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _no_folder(database, error) from None
    scripts = ScriptDirectory(str(_FOLDER))
    with database.writing() as connection:
        found = _version(connection)
        _refuse_newer(database, scripts, found)
        if found == scripts.get_current_head():
            return
        config = Config()
        config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def require_current(database: Database) -> None:
    """Raise StoreRefused unless the store is there with the tables of this build; changes nothing."""
    try:
        absent = database.file is not None and not database.file.exists()
    except OSError as error:
        raise _no_folder(database, error) from None
    if absent:
        raise StoreRefused(
            f"there is no query store {database.name}: `huitou sink` makes and fills it"
        )
    scripts = ScriptDirectory(str(_FOLDER))
    with database.reading() as connection:
        found = _version(connection)
    _refuse_newer(database, scripts, found)
    if found != scripts.get_current_head():
        raise StoreRefused(
            f"the query store {database.name} {'is older than this build' if found else 'is empty'}: "
            "`huitou sink` brings it up"
        )


def _no_folder(database: Database, error: OSError) -> StoreRefused:
    return StoreRefused(
        f"the query store {database.name} cannot be there: {error.filename}: {error.strerror}; give another "
        "path (--store, HUITOU_QUERY_STORE)"
    )


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _refuse_newer(database: Database, scripts: ScriptDirectory, found: str | None) -> None:
    known = [script.revision for script in scripts.walk_revisions()]
    if found is not None and found not in known:
        raise StoreRefused(
            f"the query store {database.name} has version {found} of its tables, and this build knows "
            f"{', '.join(known)}: a newer build has brought it up. Run that one, or fill a store of "
            "this build's own (--store, HUITOU_QUERY_STORE)"
        )
