"""What can end a subscriber, and what a handler may raise to say how a trigger is to go on."""


class SubscribeError(Exception):
    """The base of all errors that end a subscriber. Nothing unhandled was committed: start it again."""


class StoreUnavailableError(SubscribeError):
    """The deduplicating store did not answer, so nobody knows what was handled."""

    def __init__(self, store: str, cause: object) -> None:
        super().__init__(
            f"the deduplicating store {store} failed ({cause}); mend it and start again, "
            "what was handled and not remembered comes once more"
        )


class DeadLetterUnavailableError(SubscribeError):
    """A trigger that was given up could not be put away, so it was not passed over either."""

    def __init__(self, where: str, trigger: str, cause: object) -> None:
        super().__init__(
            f"{trigger} was given up and {where} did not take it ({cause}); mend that and start "
            "again, the trigger comes once more"
        )


class LogUnavailableError(SubscribeError):
    """Kafka refused what the subscriber needs: the topic is not there, or this user may not read it."""

    def __init__(self, topic: str, cause: object) -> None:
        super().__init__(f"{topic} cannot be read ({cause}); check its name, prefix and access")


class StopSubscribing(SubscribeError):
    """A handler raises it where no trigger can be handled any more; the subscriber ends with it.

    The trigger is neither committed nor a dead letter: it comes again after the next start.
    """


class RejectTrigger(Exception):
    """A handler raises it where trying again cannot help: the trigger is a dead letter at once."""


class RetryTrigger(Exception):
    """A handler raises it to be called again after ``seconds`` at the earliest."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        self.seconds = seconds
        super().__init__(reason)
