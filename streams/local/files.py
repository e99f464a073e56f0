"""Files of the local stack: whole or absent, and one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes ``text`` to ``path`` so that a reader finds all of it or the file before it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file ``path``, waiting for another process that does; a dead one's is free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def user_folder(variable: str, fallback: str) -> Path:
    """huitou's folder under an XDG base directory: ``variable``, or ``fallback`` under the home."""
    base = os.environ.get(variable, "")
    # The XDG specification: a relative path is invalid and is ignored.
    return (Path(base) if base.startswith("/") else Path.home() / fallback) / "huitou"


def tail(path: Path, lines: int = 15) -> str:
    """The last ``lines`` lines of a log, "" where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
