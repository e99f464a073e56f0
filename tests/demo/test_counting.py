"""What counts as lost: a shortfall anywhere, by the counters and by the offsets."""

from producers.delivered import Delivered
from streams.demo.counting import Processed, lost


def delivered(**ranges: tuple[int, int]) -> Delivered:
    """``clicks0=(0, 5)``: offsets 0 to 4 of clicks, partition 0."""
    return Delivered.from_ranges(
        (name[:-1], int(name[-1]), start, end) for name, (start, end) in ranges.items()
    )


def test_nothing_is_lost_when_every_record_was_counted() -> None:
    found = Processed(counts={("clicks", 0): 5}, vector={("clicks", 0): 5})
    assert lost(delivered(clicks0=(0, 5)), found) == {}


def test_a_record_that_was_passed_and_not_counted_is_lost() -> None:
    found = Processed(counts={("clicks", 0): 4}, vector={("clicks", 0): 5})
    assert lost(delivered(clicks0=(0, 5)), found) == {("clicks", 0): 1}


def test_a_record_that_was_not_reached_is_lost_though_the_counter_is_high_enough() -> None:
    # Somebody else's records in the same topic are in the counter too.
    found = Processed(counts={("clicks", 0): 100}, vector={("clicks", 0): 102})
    assert lost(delivered(clicks0=(100, 105)), found) == {("clicks", 0): 3}


def test_a_surplus_in_one_place_hides_no_loss_in_another() -> None:
    found = Processed(
        counts={("clicks", 0): 9, ("clicks", 1): 4, ("carts", 0): 1},
        vector={("clicks", 0): 9, ("clicks", 1): 4, ("carts", 0): 1},
    )
    sent = delivered(clicks0=(0, 5), clicks1=(0, 5), carts0=(0, 2))
    assert lost(sent, found) == {("clicks", 1): 1, ("carts", 0): 1}


def test_a_partition_that_no_worker_touched_is_lost_whole() -> None:
    assert lost(delivered(clicks7=(3, 10)), Processed()) == {("clicks", 7): 7}
