"""What a schedule can hit, and a count of what was hit: steps, what struck them, cases of recovery."""

from collections import Counter

#: What may strike before a step's effect, and after it.
BEFORE = ("crash", "freeze", "cut", "in_flight")
AFTER = ("crash", "freeze", "lost")
#: The engine's named crash points are no requests: nothing can get lost there.
POINT = ("crash", "freeze")
#: What a worker asks of Kafka and Redis, by what it is doing; a step more or less fails the tests.
REQUESTS = (
    "start.init",
    "recover.claim", "recover.first_due", "recover.stored", "recover.committed",
    "recover.list_offsets", "recover.read",
    "recover.outbox", "recover.load_states", "recover.due", "recover.commit", "recover.trim",
    "process.load_states", "process.list_offsets", "process.read", "process.due", "process.commit",
    "publish.outbox", "publish.produce", "publish.offsets", "publish.end", "publish.abort",
    "publish.trim",
    "release.outbox", "release.produce", "release.offsets", "release.end", "release.abort",
    "release.trim",
    "tick.list_offsets", "tick.produce",
)  # fmt: skip
#: Steps that only a recovery with something to do again takes.
REPLAY = {
    "recover.read", "recover.load_states", "recover.due", "recover.commit", "recover.in-replay",
}  # fmt: skip
#: The engine's named crash points, by what the worker is doing.
POINTS = (
    "recover.after-claim", "recover.in-replay",
    "process.before-commit", "process.after-commit", "process.after-timers",
    "publish.after-begin", "publish.after-produce", "publish.after-offsets",
    "publish.after-transaction", "publish.after-trim",
    "release.in-drain", "release.after-begin", "release.after-produce", "release.after-offsets",
    "release.after-transaction", "release.after-trim",
    "tick.after-tick",
)  # fmt: skip
#: (step, what strikes it): no schedule may leave one out for ever.
STRIKES = (
    *((step, f"{kind} before") for step in REQUESTS for kind in BEFORE),
    *((step, f"{kind} after") for step in REQUESTS for kind in AFTER),
    *((step, f"{kind} at") for step in POINTS for kind in POINT),
)
CASES = (
    "current", "replayed", "adopted", "forked", "missing", "reset", "outside_log", "incomplete",
    "newer",
)  # fmt: skip
#: What an operator's word goes through (events of the tally); these too must all come.
SKIPS = (
    "skip of a record said", "skip of a timer said", "ended while paused",
    "ended before a skip was applied", "skip committed", "skip replayed", "skip adopted",
    "paused in recovery", "replaced",
)  # fmt: skip
#: How a tool has the clock: of the past or ahead of the wall's, handed back or released for it.
TAKEOVERS = ("clock taken back", "clock taken ahead", "clock handed back", "clock released")

#: States that were removed since nothing needed them.
EXPIRED = "state expired"
#: Verdicts on orders, those of customers who had been visitors among them, and what was taken back.
BRUSHED, BRUSHED_MERGED, REVERSED = (
    "order brushed",
    "order brushed after a merge",
    "verdict reversed",
)
#: Offers of the declared campaign, and what the arbiter refused of it.
OFFERED, REFUSED = "declared offer made", "declared offer refused"
OUTCOMES = (EXPIRED, BRUSHED, BRUSHED_MERGED, REVERSED, OFFERED, REFUSED)


class Tally:
    """What all schedules so far have hit: steps by what struck them, recoveries by case."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()
        self.strikes: Counter[tuple[str, str]] = Counter()
        self.cases: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def add(self, other: "Tally") -> None:
        self.steps += other.steps
        self.strikes += other.strikes
        self.cases += other.cases
        self.events += other.events

    def never_hit(self) -> list[str]:
        """What no schedule has found: recovery cases, the ways of a skip and of a tool."""
        cases = [case for case in CASES if not self.cases[case]]
        return cases + [
            event for event in (*SKIPS, *TAKEOVERS, *OUTCOMES) if not self.events[event]
        ]
