"""What a subscriber tells of its work: to metrics, to logs, to tests."""

from streams.subscribe.received import LetterReason, ReceivedTrigger, Record


class Hooks:
    """Override what is wanted. Called in the event loop's thread; what a hook raises ends the subscriber."""

    def handled(self, trigger: ReceivedTrigger, seconds: float) -> None:
        """A handler returned after ``seconds``, at ``trigger.attempt``."""

    def repeated(self, trigger: ReceivedTrigger) -> None:
        """A trigger came again that was handled before; the handler was not called."""

    def failed(self, trigger: ReceivedTrigger, error: Exception, wait: float) -> None:
        """A handler failed and is called again after ``wait`` seconds."""

    def dead_lettered(self, record: Record, reason: LetterReason) -> None:
        """A record was put away."""
