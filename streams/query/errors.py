"""What can be wrong with the query store, and what to do about each."""


class StoreRefused(Exception):
    """Nothing helps but what the message says: the store is newer, of another log, or cannot be used."""


class StoreDoubt(Exception):
    """The batch in hand does not count and nothing of it was written: run the sink again."""


class OffsetsMoved(StoreDoubt):
    """Another sink has written these offsets: this one does not own the partition any more."""

    def __init__(self, topic: str, partition: int, expected: int, found: int | None) -> None:
        super().__init__(
            f"{topic}[{partition}]: this sink was about to write from offset {expected}, and the store "
            f"stands at {found}: another sink has the partition. Nothing of the batch was kept. Start this "
            "one again; if it happens again, two consumer groups (HUITOU_GROUP) fill this store"
        )
        self.topic = topic
        self.partition = partition
