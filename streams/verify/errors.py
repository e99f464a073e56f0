"""Why a partition cannot be compared any further. Each is a disagreement and ends its comparison."""

from streams.engine.log_errors import LogError


class Unpublished(LogError):
    """A commit is in Redis and did not appear in the journal in time."""

    def __init__(self, topic: str, partition: int, seq: int, published: int, waited: float) -> None:
        super().__init__(
            topic,
            partition,
            f"Redis stands at seq {seq}, the journal at {published}, and nothing was published for "
            f"{waited:.0f} s: start a worker, which publishes what is left, and verify again",
        )
        self.seq = seq
        self.published = published


class Rewound(LogError):
    """Redis stands behind what was published: it lost commits."""

    def __init__(self, topic: str, partition: int, seq: int, published: int) -> None:
        super().__init__(
            topic,
            partition,
            f"Redis stands at seq {seq}, but commits up to {published} were published: it lost a "
            "suffix; a worker repeats it from the journal when it starts",
        )
        self.seq = seq
        self.published = published


class Forked(LogError):
    """Redis and the journal hold different commits of the same number."""

    def __init__(self, topic: str, partition: int, seq: int, found: str, expected: str) -> None:
        super().__init__(
            topic,
            partition,
            f"at seq {seq} Redis has the chain {found or 'of nothing'}, the journal "
            f"{expected or 'of nothing'}: two lineages, of which Redis's is void",
        )
        self.seq = seq
