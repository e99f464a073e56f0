"""Commits for several partitions in one call, as a cycle makes them."""

from schemas.journal import GENESIS
from streams.engine.commit import Commit, Position
from streams.state.redis_store import RedisStore
from tests.state.machine import Content, Owner, commit_of

START = Position(0, GENESIS)


def commits(at: dict[int, Position], customer: str) -> list[tuple[int, int, Position, Commit]]:
    """One commit for each partition, which writes this customer's state and timer."""
    content = Content({f"shop/{customer}": b"state"}, {f"shop/{customer}": 7}, [b"row"], 1, 0, True)
    return [
        (number, 1, position, commit_of(Owner(number, 1, "a", position), content))
        for number, position in at.items()
    ]


def run(store: RedisStore, at: dict[int, Position], customer: str = "anna") -> dict[int, Position]:
    """Commit to these partitions in one call; where they stand then."""
    batch = commits(at, customer)
    replies = store.commit(batch)
    assert replies == [7] * len(batch), replies
    return {number: commit.position for number, _, _, commit in batch}
