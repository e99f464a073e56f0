"""What a subscriber measures, so also `huitou webhook`."""

from typing import Final

from streams.telemetry.metric import Label, Metric

#: prometheus-client's own defaults: an attempt is a call of somebody else's service.
SECONDS_EDGES: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
_CAMPAIGN = Label("campaign", "a campaign's name")

HANDLED: Final = Metric(
    "subscriber_triggers_handled_total", "counter", "triggers", "Triggers handled.", (_CAMPAIGN,)
)
REPEATED: Final = Metric(
    "subscriber_triggers_repeated_total", "counter", "triggers", "Redeliveries not handled again."
)
FAILED: Final = Metric(
    "subscriber_attempts_failed_total", "counter", "attempts", "Attempts to be repeated.",
    (_CAMPAIGN,),
)  # fmt: skip
DEAD_LETTERS: Final = Metric(
    "subscriber_dead_letters_total", "counter", "triggers", "Triggers put away.",
    (Label(
        "reason", "",
        ("unknown_type", "unknown_kind", "unreadable", "rejected", "exhausted", "expired"),
    ),),
)  # fmt: skip
HANDLER_SECONDS: Final = Metric(
    "subscriber_handler_seconds", "histogram", "seconds", "Time of a successful attempt.",
    edges=SECONDS_EDGES,
)  # fmt: skip

SUBSCRIBER: Final = (HANDLED, REPEATED, FAILED, DEAD_LETTERS, HANDLER_SECONDS)
