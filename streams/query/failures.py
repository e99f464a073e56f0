"""What a database's error says that people may read, and whether trying again can help.

A server puts values of the statement into its errors: the detail of a violated key is the key, and the hint
of a bad value is the value. Both are customers' data, and an error goes to a log.
"""

from typing import Any, Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

#: SQLite's codes for a file that is no database, may not be opened or may not be written.
_FILE_REFUSED: Final = frozenset(
    ("SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_CORRUPT")
)  # fmt: skip
#: The classes of SQLSTATE that say who may do what, and to what: invalid authorization, no such database,
#: no such object or no right to it.
_REFUSED_CLASSES: Final = ("28", "3D", "42")
#: Of an attempt to connect the driver has the sentence only. What is not here (a server that starts up, has
#: no connection to spare, or whose sentences are in another language) is a doubt.
_REFUSED_SENTENCES: Final = (
    "authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist",
    "not permitted to log in", "permission denied for database", "SSL was required",
    "invalid connection option",
)  # fmt: skip
#: SQLSTATE's class of values that a column cannot hold; its message has the value.
_BAD_VALUE: Final = "22"


def said(error: SQLAlchemyError) -> str:
    """``error`` in a line, without the values that a statement was about."""
    cause = _cause(error)
    state = _state(cause)
    if state is None:
        # SQLite names tables and columns only; a driver's own errors say what it was told of the server.
        first, *_ = str(cause if cause is not None else error).strip().splitlines() or [""]
        return first or type(error).__name__
    if state.startswith(_BAD_VALUE):
        return f"{type(cause).__name__} (SQLSTATE {state})"
    return f"{cause.diag.message_primary} (SQLSTATE {state})"


def is_refused(error: SQLAlchemyError) -> bool:
    """Whether it stays as it is until somebody changes the URL, the rights or the file."""
    cause = _cause(error)
    state = _state(cause)
    if state is not None:
        return state.startswith(_REFUSED_CLASSES)
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        return any(name == one or name.startswith(f"{one}_") for one in _FILE_REFUSED)
    return any(sentence in str(cause) for sentence in _REFUSED_SENTENCES)


def _cause(error: SQLAlchemyError) -> Any:
    """The driver's own exception; None of one that is SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) else None


def _state(cause: Any) -> str | None:
    """SQLSTATE, where the server said one."""
    return getattr(cause, "sqlstate", None)
