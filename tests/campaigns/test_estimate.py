"""An estimate counts each customer once, and knows which condition alone keeps somebody out."""

from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.estimate import Estimate
from streams.campaigns.language.conditions.condition import AllOf, Condition
from streams.campaigns.language.conditions.evaluating import evaluate
from streams.campaigns.language.figures.scene import Scene
from tests.campaigns.conditions_drawn import conditions
from tests.campaigns.test_conditions import states
from tests.domain.events import DAY, SHOP, START


@given(st.lists(conditions(), min_size=1, max_size=4), st.lists(st.integers(0, 20), max_size=8))
def test_each_is_counted_once_by_what_holds_of_them(
    parts: list[Condition], chosen: list[int]
) -> None:
    audience = AllOf(tuple(parts))
    found = Estimate(audience, "CNY")
    scenes = [Scene(states()[number % len(states())], START + 12 * DAY, SHOP) for number in chosen]
    fits = [found.add(scene) for scene in scenes]
    assert fits == [evaluate(audience, scene, "CNY").holds for scene in scenes]
    assert (found.customers, found.fits) == (len(scenes), fits.count(True))
    assert (found.fits_not, found.unknown) == (fits.count(False), fits.count(None))
    for number, (part, condition) in enumerate(zip(found.parts, parts, strict=True)):
        held = [evaluate(condition, scene, "CNY").holds for scene in scenes]
        assert (part.holds, part.holds_not, part.unknown) == (
            held.count(True), held.count(False), held.count(None),
        )  # fmt: skip
        without = Estimate(AllOf(tuple(parts[:number] + parts[number + 1 :])), "CNY")
        more = [without.add(scene) for scene in scenes].count(True) - found.fits
        assert part.alone == more


def test_without_an_audience_it_fits_everybody() -> None:
    found = Estimate(None, "CNY")
    assert found.add(Scene(states()[0], START, SHOP)) is True
    assert (found.customers, found.fits, found.parts) == (1, 1, [])
