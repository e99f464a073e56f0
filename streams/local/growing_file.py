"""A log that another process writes, read on from where the last look ended."""

from pathlib import Path


class GrowingFile:
    """``path`` need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        #: The beginning of a line whose end is not written yet.
        self._rest = b""

    def skip(self) -> None:
        """Leaves out what is written already."""
        self._read = self._path.stat().st_size if self._path.exists() else 0
        self._rest = b""

    def lines(self) -> list[bytes]:
        """The lines that were completed since the last call, without their ends."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        self._read += len(text)
        *lines, self._rest = (self._rest + text).split(b"\n")
        return lines
