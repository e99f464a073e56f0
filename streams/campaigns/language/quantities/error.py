"""What is wrong with a quantity."""


class QuantityError(ValueError):
    """A text is no quantity of its kind; the message says why, and what is allowed."""

    def __init__(self, text: str, wrong: str, allowed: str) -> None:
        # A text of any length may have been written.
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        super().__init__(f"{shown!r} {wrong}: {allowed}")


_SHOWN = 40
