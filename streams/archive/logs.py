"""Where a log is read back from: the topics, or archive and topics as one log."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streams.archive.errors import ArchiveRefused
from streams.engine.log import PATIENCE_SECONDS, LogReader
from streams.engine.partition_log import PartitionLog


@dataclass(frozen=True, slots=True)
class Logs:
    """Opens readers. ``archive``: the folder for what Kafka no longer has; None: Kafka alone.

    ``patience``: seconds without anything read after which a range counts as incomplete. Raises
    ArchiveRefused where an archive is to be read and pyarrow is not installed.
    """

    bootstrap: str
    archive: Path | None = None
    patience: float = PATIENCE_SECONDS

    def reader(self) -> LogReader:
        """A reader of ranges and journal rows."""
        if self.archive is None:
            return LogReader(self.bootstrap, patience=self.patience)
        require_parquet()
        from streams.archive.joined import JoinedLog

        return JoinedLog(self.bootstrap, self.archive, patience=self.patience)

    def along(self) -> PartitionLog:
        """A reader of one partition of several topics, from front to back."""
        if self.archive is None:
            return PartitionLog(self.bootstrap, patience=self.patience)
        require_parquet()
        from streams.archive.joined import JoinedPartitionLog

        return JoinedPartitionLog(self.bootstrap, self.archive, patience=self.patience)


def require_parquet() -> None:
    """Raises ArchiveRefused where this installation cannot read or write archives."""
    if find_spec("pyarrow") is None:
        raise ArchiveRefused(
            "archives are Parquet files, and pyarrow is not installed: pip install 'huitou[archive]'"
        )
