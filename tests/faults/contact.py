"""What the customers of a fault run ask, wish and say of themselves; some have themselves erased."""

import random
from collections import deque
from typing import Any

Step = tuple[str, str, dict[str, Any]]

_REGIONS = ("CN-33", "CN-31", "CN-44")
_CHANNELS = ("app_push", "sms", "email")
GONE = "gone-"
#: Visitors who turn out to be customers: of one number each.
VISITOR, HOME = "visitor-", "home-"


class Contact:
    """``next`` gives topic, customer and data. At most one case and one wish of a customer is under way,
    so that all stay within what a state keeps, and the oracle can count them.
    """

    def __init__(self, draw: random.Random) -> None:
        self._random = draw
        #: What is still to come, by topic and customer.
        self._steps: dict[tuple[str, str], list[dict[str, Any]]] = {}
        #: Customers who are leaving, each with what is still to come.
        self._leaving: deque[list[Step]] = deque()
        #: Pairs of a visitor and their customer, each with what is still to come.
        self._meeting: deque[list[Step]] = deque()

    def next(self, customer: str, number: int) -> Step:
        """The next event about ``customer``, or of one who is leaving; ``number`` names what is new."""
        kind = self._random.random()
        if kind < 0.4:
            return "shop.service", customer, self._step("shop.service", customer, number)
        if kind < 0.75:
            return "shop.wishes", customer, self._step("shop.wishes", customer, number)
        if kind < 0.9:
            return self._profile(customer, number)
        return self._goodbye(number)

    def _step(self, topic: str, customer: str, number: int) -> dict[str, Any]:
        steps = self._steps.get((topic, customer))
        if not steps:
            life = self._case(number) if topic == "shop.service" else self._wish(customer, number)
            steps = self._steps[topic, customer] = life
        return steps.pop(0)

    def _case(self, number: int) -> list[dict[str, Any]]:
        draw = self._random
        case = {"case_id": f"k{number}"}
        opened = draw.choice(["inquiry", "complaint"])
        life = [{**case, "action": opened, "topic": "delivery"}]
        if opened == "inquiry" and draw.random() < 0.3:
            life.append({**case, "action": "complaint"})
        life += [{**case, "action": "replied"} for _ in range(draw.randint(0, 3))]
        life.append({**case, "action": "resolved"})
        if draw.random() < 0.5:
            about = case if draw.random() < 0.7 else {}
            life.append({**about, "action": "survey_answered", "score": draw.randint(0, 10)})
        return life

    def _wish(self, customer: str, number: int) -> list[dict[str, Any]]:
        draw = self._random
        wish = {"wish_id": f"w{number}"}
        made: dict[str, Any] = {**wish, "action": "made", "attributes": {"size": "XL"}}
        if draw.random() < 0.7:
            made["sku"] = f"sku-{draw.randrange(8)}"
        life = [made]
        for liker in draw.sample(["friend", "aunt", customer], draw.randint(0, 3)):
            said = {**wish, "liker_id": liker, "device_hash": f"d{draw.randrange(2)}"}
            life += [{**said, "action": "liked"}]
            if draw.random() < 0.3:
                life += [{**said, "action": "unliked"}]
            if draw.random() < 0.2:
                life += [{**said, "action": "commented"}]
        if draw.random() < 0.2:
            life.append({**wish, "action": "story"})
        if draw.random() < 0.8:
            decision = draw.choice(["granted", "declined", "withdrawn"])
            life.append({**wish, "action": decision})
        return life

    def _profile(self, customer: str, number: int) -> Step:
        draw = self._random
        kind = draw.random()
        if kind < 0.3:
            return self._meet(number)
        if kind < 0.35:
            return "shop.profiles", customer, {"action": "joined_membership"}
        if kind < 0.6:
            said = {draw.choice(_CHANNELS): draw.random() < 0.7}
            return "shop.profiles", customer, {"action": "consent", "consent": said}
        fields = {
            "birthday": f"19{draw.randint(50, 99)}-02-28",
            "gender": draw.choice(["female", "male", "other"]),
            "region": draw.choice(_REGIONS),
            "tags": draw.sample(["tea", "gifts", "sport"], draw.randint(0, 3)),
        }
        some = {name: fields[name] for name in draw.sample(sorted(fields), draw.randint(1, 4))}
        return "shop.profiles", customer, {"action": "updated", **some}

    def _goodbye(self, number: int) -> Step:
        """A customer of whom every topic knows something that issues no coupon is erased.

        What comes after the erase comes in its own topic, and so surely after it.
        """
        if len(self._leaving) < 4:
            customer = f"{GONE}{number}"
            life: list[Step] = [
                ("shop.clicks", customer, {"action": "view", "sku": "sku-1"}),
                ("shop.service", customer, {"action": "inquiry", "case_id": "k"}),
                ("shop.wishes", customer, {"action": "made", "wish_id": "w"}),
                ("shop.reviews", customer, {"action": "appended", "order_id": "o", "sku": "sku-1"}),
                ("shop.profiles", customer, {"action": "joined_membership"}),
            ]
            self._random.shuffle(life)
            life.append(("shop.profiles", customer, {"action": "erase"}))
            if self._random.random() < 0.5:
                life.append(("shop.profiles", customer, {"action": "updated", "region": "CN-33"}))
            self._leaving.append(life)
        life = self._leaving.popleft()
        step = life.pop(0)
        if life:
            self._leaving.append(life)
        return step

    def _meet(self, number: int) -> Step:
        """A visitor and a customer of whom every topic that issues no coupon knows something are one.

        What comes before the alias and what after it, of either, makes no difference.
        """
        if len(self._meeting) < 4:
            visitor, customer = f"{VISITOR}{number}", f"{HOME}{number}"
            life: list[Step] = [
                ("shop.clicks", visitor, {"action": "view", "sku": "sku-1"}),
                ("shop.clicks", visitor, {"action": "favorite", "sku": "sku-1"}),
                ("shop.clicks", customer, {"action": "view", "sku": "sku-2"}),
                ("shop.service", visitor, {"action": "inquiry", "case_id": "k"}),
                ("shop.service", customer, {"action": "resolved", "case_id": "k"}),
                ("shop.wishes", visitor, {"action": "made", "wish_id": "w"}),
                ("shop.wishes", customer, {"action": "granted", "wish_id": "w"}),
                ("shop.profiles", visitor, {"action": "consent", "consent": {"sms": True}}),
                ("shop.profiles", customer, {"action": "updated", "region": "CN-31"}),
                ("shop.profiles", visitor, {"action": "alias", "alias_of": customer}),
            ]
            self._random.shuffle(life)
            self._meeting.append(life)
        life = self._meeting.popleft()
        step = life.pop(0)
        if life:
            self._meeting.append(life)
        return step
