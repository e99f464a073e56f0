"""What can be wrong with a log that is read back, and what to do about each."""


class LogError(Exception):
    """Base of the errors of reading a log back; names its place."""

    def __init__(self, topic: str, partition: int, message: str) -> None:
        super().__init__(f"{topic}[{partition}]: {message}")
        self.topic = topic
        self.partition = partition


class LogRangeLost(LogError):
    """A range begins outside of what the log holds."""

    def __init__(
        self, topic: str, partition: int, offset: int, log_start: int, log_end: int
    ) -> None:
        super().__init__(
            topic,
            partition,
            f"offset {offset} is not in the log, which holds [{log_start}, {log_end}): retention "
            "removed it or the topic was made anew; restore the topic, or rebuild from an archive",
        )
        self.offset = offset
        self.log_start = log_start
        self.log_end = log_end


class LogIncomplete(LogError):
    """A range was not readable to its end within the time allowed."""

    def __init__(
        self, topic: str, partition: int, start: int, end: int, position: int, waited: float
    ) -> None:
        super().__init__(
            topic,
            partition,
            f"[{start}, {end}) was read up to {position}, then nothing came for {waited:.1f} s: "
            "an open transaction, an unreachable leader, or an end beyond the log; check those and "
            "try again",
        )
        self.start = start
        self.end = end
        self.position = position


class LogUnreadable(LogError):
    """Kafka answered with an error that waiting does not mend."""

    def __init__(self, topic: str, partition: int, offset: int | None, reason: str) -> None:
        where = "" if offset is None or offset < 0 else f" at offset {offset}"
        super().__init__(topic, partition, f"cannot be read{where}: {reason}")
        self.offset = offset
        self.reason = reason


class JournalGap(LogError):
    """A row of the journal is missing or out of order."""

    def __init__(
        self, topic: str, partition: int, offset: int | None, expected: int, found: int | None
    ) -> None:
        where = "" if offset is None else f" at offset {offset}"
        what = "nothing" if found is None else f"seq {found}"
        super().__init__(
            topic,
            partition,
            f"the journal's row seq {expected} is missing: found {what}{where}; the order of "
            "processing cannot be repeated past it",
        )
        self.offset = offset
        self.expected = expected
        self.found = found
