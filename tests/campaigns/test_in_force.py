"""What judges when, against asking the view for each campaign and moment."""

import pytest

from streams.campaigns.applied.log import CampaignLog
from streams.campaigns.listening.in_force import InForce
from streams.campaigns.listening.moments import Moment
from tests.campaigns.changes import MINUTE, NOW, RESUMED, WITHDRAWN, applied, change

JOINED = Moment("joined_membership", "joined")


@pytest.fixture
def log() -> CampaignLog:
    log = CampaignLog()
    since = NOW + 10 * MINUTE
    for offset, (what, name) in enumerate(
        (
            (applied("1"), "hello"),
            (applied("2", since), "hello"),
            (applied("3", since + MINUTE, name="later"), "later"),
            (WITHDRAWN, "hello"),
            (RESUMED, "hello"),
        )
    ):
        log.add(change(offset, what, name))
    return log


@pytest.mark.parametrize("offset", range(6))
@pytest.mark.parametrize("minutes", [-100, 9, 10, 11, 5000])
def test_as_the_view_has_it(log: CampaignLog, offset: int, minutes: int) -> None:
    view, time = log.upto(offset), NOW + minutes * MINUTE
    judging = InForce(view).at("tea", time)
    wanted = {each.version for each in view.all_judging("tea", time)}
    if judging is None:
        assert offset == 0
        assert not wanted
        return
    assert {each.version for each in judging.campaigns.hearing(JOINED)} == wanted
    assert judging.applied == set(view.campaigns("tea"))
    # As soon as it is applied it is known; only with the pause in it does nothing judge.
    assert "hello" in judging.applied
    assert not wanted or offset != 4 or minutes >= 11


def test_a_shop_without_campaigns(log: CampaignLog) -> None:
    assert InForce(log.upto(5)).at("coffee", NOW) is None
