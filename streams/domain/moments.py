"""Moments for people and JSON."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time: int | None) -> str | None:
    """``time`` (ms since 1970) as RFC 3339 in UTC, with milliseconds.

    >>> moment(1511544070123)
    '2017-11-24T17:21:10.123Z'
    """
    if time is None:
        return None
    text = (_EPOCH + timedelta(milliseconds=time)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
