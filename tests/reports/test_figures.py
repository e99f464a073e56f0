"""Every figure of every report against an independent computation, over histories in any order."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.query.connecting import Database
from tests.reports import checks
from tests.reports.histories import DAY, ZONES, fill, histories, lives
from tests.reports.oracle import Question

#: 2026-03-29, when Berlin puts the clock forward, less what a currency may have changed before or after.
TURN_MS = 1_774_746_000_000


@st.composite
def questions(draw: st.DrawFn) -> Question:
    first = draw(
        st.sampled_from(
            [date(2026, 1, 1), date(2026, 3, 29), date(2026, 10, 25), date(2025, 2, 28)]
        )
    )
    days = draw(st.sampled_from([1, 2, 33, 400]))
    return Question(
        draw(histories()), first, first + timedelta(days=days - 1), draw(st.sampled_from(ZONES)),
        draw(st.sampled_from([None, None, TURN_MS])),
    )  # fmt: skip


#: Limits that the amounts and days of the histories meet on both sides.
LIMITS = {"recency_days": (0, 1, 60, 400), "orders": (2, 3, 4, 5), "amount": (60, 99, 250, 10_000)}


#: Tiers that many reach and leave: of orders, of money, of both.
TIERS = (("one", 1, 0), ("some", 2, 99), ("rich", 2, 100_000), ("often", 4, 100_000))


@st.composite
def questions_of_lives(draw: st.DrawFn) -> Question:
    """As of some days after what was bought, and amid it."""
    published, moments = draw(lives())
    some = draw(st.sampled_from(sorted(moments)))
    after = draw(st.sampled_from([-1, 0, 1, 2, 29, 30, 31, 60, 90, 91, 180, 181, 300]))
    last = date(2026, 1, 1) + timedelta(days=int(some // DAY) + after)
    return Question(
        published, last - timedelta(days=draw(st.sampled_from([0, 30]))), last,
        draw(st.sampled_from(ZONES)), draw(st.sampled_from([None, None, TURN_MS])),
        draw(st.sampled_from([None, LIMITS])), draw(st.sampled_from([None, TIERS])),
    )  # fmt: skip


anything = settings(
    max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_figures_are_those_of_an_independent_computation(store: Database, check: object) -> None:
    @anything
    @given(questions())
    def holds(question: Question) -> None:
        fill(store, question.published)
        check(store, question)  # type: ignore[operator]

    holds()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "check", [checks.rfm, checks.lifecycle, checks.members], ids=lambda check: check.__name__
)
def test_customers_are_judged_as_by_an_independent_computation(
    store: Database, check: object
) -> None:
    @settings(anything, max_examples=150)
    @given(questions_of_lives())
    def holds(question: Question) -> None:
        fill(store, question.published)
        check(store, question)  # type: ignore[operator]

    holds()
