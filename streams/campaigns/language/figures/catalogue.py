"""Every figure that a condition may ask for, by name, in the order of the documentation."""

from typing import Final

from streams.campaigns.language.figures.browsing import BROWSING
from streams.campaigns.language.figures.contact import CONTACT
from streams.campaigns.language.figures.figure import Figure, Reading, Unknown
from streams.campaigns.language.figures.person import PERSON
from streams.campaigns.language.figures.purchases import PURCHASES
from streams.campaigns.language.figures.scene import Scene

#: Heading of the documentation -> its figures.
GROUPS: Final[dict[str, tuple[Figure, ...]]] = {
    "Who and when": PERSON,
    "Purchases and membership": PURCHASES,
    "Browsing and cart": BROWSING,
    "Reviews, service, wishes, coupons": CONTACT,
}
FIGURES: Final[dict[str, Figure]] = {
    figure.name: figure for group in GROUPS.values() for figure in group
}


def read_figure(figure: Figure, scene: Scene, currency: str) -> Reading:
    """What the state says of ``figure`` at the scene's moment; money in minor units of ``currency``.

    A shop that counts in another currency is not converted: its amounts are unknown.
    """
    if figure.type == "money" and scene.settings.currency != currency:
        return Unknown(f"the shop counts in {scene.settings.currency}, the campaign in {currency}")
    readings = scene.readings
    reading = readings.get(figure.name)
    if reading is None:
        reading = readings[figure.name] = figure.read(scene)
    return reading
