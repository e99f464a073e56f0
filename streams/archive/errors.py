"""What can be wrong with an archive, and what to do about each."""

from streams.engine.log_errors import LogError


class ArchiveRefused(Exception):
    """Archiving would leave a hole or mix two logs; says which, and what to do first."""


class ArchiveHole(LogError):
    """Offsets that neither the archive nor the topic has."""

    def __init__(self, topic: str, partition: int, start: int, end: int) -> None:
        super().__init__(
            topic,
            partition,
            f"offsets [{start}, {end}) are neither in the archive nor in the topic: retention removed "
            "them before they were archived; rebuild from a snapshot that was taken after them",
        )
        self.start = start
        self.end = end


class ArchiveDamaged(LogError):
    """A file of the archive is not as it was written."""

    def __init__(self, topic: str, partition: int, path: object, reason: str) -> None:
        super().__init__(
            topic,
            partition,
            f"{path} is damaged: {reason}; restore the file from a copy, or, while the topic still has "
            "its offsets, move it and all files after it away and archive again",
        )
        self.path = path
        self.reason = reason
