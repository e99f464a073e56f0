"""Who the customers of a step are, by age and gender, as far as they have said so.

It is what the customer's state knows when the event is folded: what is said later changes nothing of what was
counted, so unlike other figures these depend on the order of the profile and the other events. An erasure
leaves them, too: a set holds no names.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from streams.domain.aggregates.names import part
from streams.domain.increments import Increments, member_of
from streams.domain.shop import date_of
from streams.domain.state import CustomerState

#: Where a band begins, years, and its name; what a profile says as ``age_band`` counts in the same words.
BANDS: Final = (
    (65, "65+"), (55, "55-64"), (45, "45-54"), (35, "35-44"), (25, "25-34"), (18, "18-24"), (0, "0-17"),
)  # fmt: skip
AGES: Final = frozenset(name for _, name in BANDS)
GENDERS: Final = frozenset({"female", "male", "other"})


def count_person(
    increments: Increments, state: CustomerState, figure: str, shop_id: str, day: int
) -> None:
    """Put the customer of ``state`` into the sets of their age and gender of ``figure``."""
    profile = state.profile
    if profile is None:
        return
    member = member_of(state.customer_id)
    for name in _names(figure, profile.birthday, profile.age_band, profile.gender, day):
        increments.see(shop_id, day, name, member)


@lru_cache(maxsize=16_384)
def _names(figure: str, birthday: str, age_band: str, gender: str, day: int) -> tuple[str, ...]:
    age = age_of(birthday, day) if birthday else age_band
    told = (("age", age, AGES), ("gender", gender, GENDERS))
    return tuple(part(figure, name, value) for name, value, known in told if value in known)


def age_of(birthday: str, day: int) -> str:
    """The band of who was born on ``birthday`` (YYYY-MM-DD) on ``day`` (days since 1970); empty: not yet.

    >>> age_of("2000-06-01", 20_239), age_of("2000-06-01", 20_240)
    ('18-24', '25-34')
    """
    born, today = date.fromisoformat(birthday), date_of(day)
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next((name for least, name in BANDS if years >= least), "")
