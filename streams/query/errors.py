"""What can be wrong with the query store, and what to do about each."""


class StoreRefused(Exception):
    """Nothing helps but what the message says: the store is newer, of another log, or cannot be used."""


class StoreDoubt(Exception):
    """The batch in hand does not count and nothing of it was written: run the sink again."""


class OffsetsMoved(StoreDoubt):
    """Another sink has written these offsets: this one does not own the partition any more."""

    def __init__(self, topic: str, partition: int, expected: int) -> None:
        super().__init__(
            f"{topic}[{partition}]: another sink has written offset {expected}, which this one was about "
            "to write; nothing of the batch was kept. One of the two is frozen or of another "
            "consumer group (HUITOU_GROUP): start this one again, and see that only one group "
            "writes into this store"
        )
        self.topic = topic
        self.partition = partition
        self.expected = expected
