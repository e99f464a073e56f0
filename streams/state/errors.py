"""What the store raises beside redis.RedisError."""


class StoreError(Exception):
    """Redis answered something that the protocol has no room for."""


class NotSuitable(StoreError):
    """The server is set up so that the promises cannot be kept; says which setting to change."""


class StateLost(StoreError):
    """Redis no longer has what this process has seen there: it lost it, or another owner came. The process
    must end.
    """


class Refused(StoreError):
    """The commit script found another seq, chain or epoch than this process holds."""

    def __init__(self, partition: int, held: str, reply: str) -> None:
        super().__init__(f"partition {partition}: commit under {held} refused by Redis: {reply}")
        self.partition = partition
        parts = reply.split(" ")
        self.reason = {"REFUSED": "sequence", "CODEC": "codec"}.get(parts[0], "malformed")
        if parts[0] == "REFUSED" and parts[-1] != held.rsplit(" ", 1)[-1]:
            self.reason = "epoch"


class Held(StoreError):
    """Another owner with a greater generation has claimed the partition."""

    def __init__(self, partition: int, generation: int, member: str, reply: str) -> None:
        super().__init__(
            f"partition {partition}: claim of generation {generation} ({member}) refused, {reply}"
        )
        self.partition = partition
        _, held_generation, self.member = reply.split(" ", 2)
        self.generation = int(held_generation)
