"""Progress of a walk whose length nobody knows: how much was seen, on standard error."""

import sys
import time
from typing import Final, Self

import typer

#: Lines of progress where no terminal is: one in so many seconds.
_LINE_SECONDS: Final = 10.0
_TERMINAL_SECONDS: Final = 0.2


class Counted:
    """A count that is said now and then: on a terminal in one line, elsewhere a line at a time."""

    def __init__(self, what: str) -> None:
        """``what`` is counted, in the plural."""
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._every = _TERMINAL_SECONDS if self._terminal else _LINE_SECONDS
        self._said = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._terminal:
            typer.echo("\r\x1b[K", nl=False, err=True)

    def at(self, count: int) -> None:
        """So many by now."""
        now = time.monotonic()
        if now - self._said < self._every:
            return
        self._said, self._shown = now, True
        if self._terminal:
            typer.echo(f"\r\x1b[K{count:,} {self._what}", nl=False, err=True)
        else:
            typer.echo(f"{count:,} {self._what}", err=True)
