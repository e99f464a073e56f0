"""What a look at one thing came to."""

from typing import Literal, NamedTuple

#: ``unknown``: it could not be looked at, since something before it fails.
Status = Literal["ok", "warning", "failure", "unknown"]


class Finding(NamedTuple):
    """``said`` is what was found, ``todo`` what to do about it; empty where nothing is to be done."""

    #: What was looked at, as `kafka.topics`.
    check: str
    status: Status
    said: str
    todo: str = ""


def ok(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def failure(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "failure", said, todo)


def warning(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "warning", said, todo)


def unknown(check: str, said: str) -> Finding:
    return Finding(check, "unknown", said)
