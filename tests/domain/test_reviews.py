"""Reviews: each action of a review counts once, and a removed review not at all."""

from streams.domain.fold import fold
from streams.domain.reviews import Reviews
from streams.domain.state import CustomerState
from streams.state.codec import encode
from tests.domain.events import SHOP, START, fold_all, review


def reviews(state: CustomerState) -> Reviews:
    assert state.reviews is not None
    return state.reviews


def test_counts_by_rating_additions_and_photos() -> None:
    found = reviews(
        fold_all(
            [
                review("1", START, "posted", "A", "a", rating=5),
                review("2", START, "posted", "A", "b", rating=2),
                review("3", START, "posted", "B", "a", rating=1),
                review("4", START, "appended", "A", "a"),
                review("5", START, "shown", "A", "a"),
                review("6", START, "replied", "B", "a"),
            ]
        )
    )
    assert (found.posted, found.ratings) == (3, [1, 1, 0, 0, 1])
    assert (found.bad, found.bad_open, found.appended, found.shown) == (2, 1, 1, 1)


def test_a_removed_review_no_longer_counts_whichever_comes_first() -> None:
    posted = review("1", START, "posted", "A", "a", rating=1)
    removed = review("2", START, "removed", "A", "a")
    for events in ([posted, removed], [removed, posted]):
        found = reviews(fold_all(events))
        assert (found.posted, found.bad, found.bad_open, found.removed) == (0, 0, 0, 1)
        assert sum(found.ratings) == 0


def test_the_same_action_under_another_id_is_a_duplicate() -> None:
    state = fold_all([review("1", START, "posted", "A", "a", rating=1)])
    before = encode(state)
    event, time = review("2", START + 1, "posted", "A", "a", rating=5)
    assert fold(state, event, time, SHOP) is None
    assert encode(state) == before
