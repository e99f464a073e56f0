"""What a refusal says of the clock by which an event is too early."""

from datetime import UTC, datetime, timedelta

import pytest

from producers.checking import Checker
from producers.errors import InvalidEventError
from tests.producers.events import click


def test_an_event_beyond_the_stacks_clock_is_told_until_when_that_is_held() -> None:
    held_until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=40)
    checker = Checker(latest_ms=int(held_until.timestamp()) * 1000)
    assert checker.event(click(time=held_until + timedelta(hours=23)))
    with pytest.raises(InvalidEventError) as refused:
        checker.event(click(time=held_until + timedelta(hours=25)))
    assert refused.value.reason == "future_time"
    said = f"90000000 ms ahead of the stack's clock, which is held until {held_until.isoformat()}"
    assert said in str(refused.value)
